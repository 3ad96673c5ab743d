"""What the docs' example asks of the program ``aws``, for machines that have none: get and put an object.

    AWS_ENDPOINT_URL=http://... python aws.py s3api get-object --bucket B --key K FILE

It takes the same options and settings, sends the same conditions, and says and fails alike.
"""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

FAILED = 254


def _asked(words: list[str]) -> Namespace:
    parser = ArgumentParser()
    deeds = parser.add_subparsers(dest="service").add_parser("s3api").add_subparsers(dest="deed")
    get, put = deeds.add_parser("get-object"), deeds.add_parser("put-object")
    for each in (get, put):
        each.add_argument("--bucket", required=True)
        each.add_argument("--key", required=True)
    get.add_argument("file", type=Path)
    put.add_argument("--body", type=Path, required=True)
    put.add_argument("--if-match")
    put.add_argument("--if-none-match", choices=["*"])
    return parser.parse_args(words)


def _get(store: S3Store, asked: Namespace) -> str | None:
    found = obstore.get(store, asked.key)
    asked.file.write_bytes(bytes(found.bytes()))
    return found.meta["e_tag"]


def _put(store: S3Store, asked: Namespace) -> str | None:
    content = asked.body.read_bytes()
    if asked.if_match is not None:
        seen: obstore.UpdateVersion = {"e_tag": asked.if_match}
        return obstore.put(store, asked.key, content, mode=seen, use_multipart=False)["e_tag"]
    if asked.if_none_match is not None:
        return obstore.put(store, asked.key, content, mode="create", use_multipart=False)["e_tag"]
    return obstore.put(store, asked.key, content, use_multipart=False)["e_tag"]


def main() -> int:
    """Do what the words of the command say."""
    asked = _asked(sys.argv[1:])
    store = S3Store(
        asked.bucket,
        endpoint=os.environ["AWS_ENDPOINT_URL"],
        region=os.environ["AWS_REGION"],
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True},
    )
    try:
        tag = _get(store, asked) if asked.deed == "get-object" else _put(store, asked)
    except (BaseError, OSError) as error:
        print(error, file=sys.stderr)
        return FAILED
    print(json.dumps({"ETag": tag}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
