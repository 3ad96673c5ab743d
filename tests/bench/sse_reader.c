/* Readers of a live stream that cost little, all in one thread:
 *
 *     sse_reader PORT CLIENTS MESSAGES SECONDS < request
 *
 * The request, the first block of the input, is sent on each of CLIENTS connections to 127.0.0.1:PORT. It
 * says "ready" once every one was answered 200. A message holds "cx#NUMBER@NANOSECONDS#" somewhere: numbers
 * count from 1, the time is CLOCK_MONOTONIC when it was published. Once every client has MESSAGES of them, or
 * SECONDS after it was ready, it tells in a line of JSON what came, and keeps the connections open until its
 * input ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 65536, REQUEST = 65536, AT_ONCE = 256 };
enum { BUCKETS = 1000000, NANOSECONDS_PER_BUCKET = 10000 };
static const char MARK[] = "cx#";
static const size_t MARK_LENGTH = sizeof MARK - 1;
static const char GOOD[] = "HTTP/1.1 200";

struct client {
  int socket, is_ready;
  long last;
  size_t used;
  char text[ROOM];
};

static unsigned delays[BUCKETS + 1];
static long taken, disordered;

static long now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000L + at.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Take every whole message out of what a client has, and keep the rest. */
static void take(struct client *client, long at) {
  char *from = client->text, *end = client->text + client->used, *mark;
  while ((mark = memmem(from, end - from, MARK, MARK_LENGTH)) != NULL) {
    char *stop = memchr(mark + MARK_LENGTH, '#', end - mark - MARK_LENGTH), *place;
    if (stop == NULL) break;
    long number = strtol(mark + MARK_LENGTH, &place, 10);
    long late = at - strtol(place + 1, NULL, 10);
    long bucket = late < 0 ? 0 : late / NANOSECONDS_PER_BUCKET;
    delays[bucket < BUCKETS ? bucket : BUCKETS]++;
    if (number != client->last + 1) disordered++;
    client->last = number;
    taken++;
    from = stop + 1;
  }
  /* What is left begins with a mark that is not whole yet, or may hold the beginning of one at its end. */
  if (mark == NULL && end - from > (long)MARK_LENGTH) from = end - MARK_LENGTH;
  if (mark != NULL) from = mark;
  client->used = end - from;
  memmove(client->text, from, client->used);
}

static int connected(int port, const char *request, size_t length) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1, found = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (found < 0) fail("socket");
  if (connect(found, (struct sockaddr *)&place, sizeof place) < 0) fail("connect");
  setsockopt(found, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (write(found, request, length) != (ssize_t)length) fail("write");
  return found;
}

/* Read once. Whether the client has just become ready. */
static int pull(struct client *client) {
  ssize_t got = recv(client->socket, client->text + client->used, ROOM - 1 - client->used, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got <= 0) {
    fprintf(stderr, "a stream has ended: %s\n", got < 0 ? strerror(errno) : "closed by the server");
    exit(1);
  }
  client->used += got;
  /* Numbers are read from it as text. */
  client->text[client->used] = 0;
  if (client->is_ready) {
    take(client, now());
    return 0;
  }
  if (client->used < sizeof GOOD - 1 || memmem(client->text, client->used, "\r\n\r\n", 4) == NULL) return 0;
  if (memcmp(client->text, GOOD, sizeof GOOD - 1) != 0) {
    fprintf(stderr, "refused: %.*s\n", (int)client->used, client->text);
    exit(1);
  }
  client->is_ready = 1;
  take(client, now());
  return 1;
}

static double percentile(double share) {
  long wanted = (long)(share * taken + 0.999999), seen = 0, bucket;
  for (bucket = 0; bucket < BUCKETS; bucket++)
    if ((seen += delays[bucket]) >= wanted) break;
  return bucket * (NANOSECONDS_PER_BUCKET / 1e6);
}

static void tell(long expected) {
  double ends[] = {taken ? percentile(0.5) : 0, taken ? percentile(0.99) : 0, taken ? percentile(1) : 0};
  printf("{\"taken\": %ld, \"missing\": %ld, \"disordered\": %ld, \"p50\": %.2f, \"p99\": %.2f, \"most\": %.2f}\n",
         taken, expected - taken, disordered, ends[0], ends[1], ends[2]);
  fflush(stdout);
}

int main(int count, char **words) {
  static char request[REQUEST];
  struct epoll_event found[AT_ONCE];
  if (count != 5) return 2;
  int port = atoi(words[1]), clients = atoi(words[2]), ready = 0, poll = epoll_create1(EPOLL_CLOEXEC);
  long expected = clients * atol(words[3]), until = 0, seconds = atol(words[4]);
  ssize_t length = read(STDIN_FILENO, request, sizeof request);
  struct client *all = calloc(clients, sizeof *all);
  if (length <= 0 || all == NULL || poll < 0) fail("begin");
  for (int place = 0; place < clients; place++) {
    all[place].socket = connected(port, request, length);
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &all[place]};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, all[place].socket, &wanted) < 0) fail("epoll_ctl");
  }
  while (taken < expected && (until == 0 || now() < until)) {
    int some = epoll_wait(poll, found, AT_ONCE, 100);
    for (int place = 0; place < some; place++) ready += pull(found[place].data.ptr);
    if (ready == clients && until == 0) {
      until = now() + seconds * 1000000000L;
      puts("ready");
      fflush(stdout);
    }
  }
  tell(expected);
  while (read(STDIN_FILENO, request, sizeof request) > 0) continue;
  return 0;
}
