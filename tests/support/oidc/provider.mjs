// A real OIDC provider for tests: node provider.mjs KEY CERTIFICATE. It prints its issuer when it serves.
// Whoever signs in is believed; ada is of the groups team and ops, all others of team.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const [key, cert] = process.argv.slice(2).map((name) => readFileSync(name));
const groups = (name) => (name === 'ada' ? ['team', 'ops'] : ['team']);

const server = createServer({ key, cert });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'console',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['https://console.example/back'],
      },
    ],
    findAccount: (_, name) => ({
      accountId: name,
      claims: () => ({ sub: name, groups: groups(name) }),
    }),
    claims: { openid: ['sub', 'groups'] },
    conformIdTokenClaims: false,
    extraTokenClaims: (_, token) => ({ groups: groups(token.accountId) }),
    features: {
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'api',
          audience: 'coxswain',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
        }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
