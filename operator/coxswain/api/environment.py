"""What programs in an agent pod find in their environment: the doors on localhost, and no token."""

LOCAL = "localhost,127.0.0.1,::1"


def of_programs(
    run: str, workspace: str, door_url: str, web_url: str | None, traceparent: str = ""
) -> dict[str, str]:
    """For every program, in whichever image; ``web_url`` is None where there is no way to the web.

    ``traceparent``: below which span a program with an OpenTelemetry SDK of its own goes on; empty for none.
    """
    return {
        "COXSWAIN_URL": door_url,
        "COXSWAIN_MODELS_URL": door_url,
        "COXSWAIN_RUN": run,
        "COXSWAIN_WORKSPACE": workspace,
        "OPENAI_BASE_URL": f"{door_url}/v1",
        "OPENAI_API_KEY": "unused",
        **(_proxy(web_url) if web_url is not None else {}),
        **({"TRACEPARENT": traceparent} if traceparent else {}),
    }


def _proxy(web_url: str) -> dict[str, str]:
    """How programs are told of the web door; some read the small names, some the large ones."""
    told = {"HTTPS_PROXY": web_url, "NO_PROXY": LOCAL}
    return told | {name.lower(): value for name, value in told.items()}
