"""What all HTTP servers of ours share: request ids, errors, limits, routes, health.

A server is a list of handlers; each says by its annotations what it reads, who may call it and
what it answers, and from them come the checks and the OpenAPI document:

    @routes.route("POST", "/v1/run/claim")
    async def claim(self, call: Call, caller: AgentCaller, body: ClaimRequest) -> ClaimAnswer: ...
"""
