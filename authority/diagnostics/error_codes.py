"""Registered error codes: what each means here, and what to do."""

# Code: what it means, what to do.
CODES = {
    "invalid_request": (
        "The request lacks a parameter, repeats one, or is malformed",
        "error_description says which. Send parameters as a form in the body, each once.",
    ),
    "invalid_client": (
        "The client was not authenticated",
        (
            "A wrong or expired secret, another method than registered, or a disabled client: its Problems page says "
            "which."
        ),
    ),
    "invalid_grant": (
        "The code or refresh token is invalid",
        "It expired, was used before, or redirect_uri or code_verifier differs: the client’s Problems page says which.",
    ),
    "unauthorized_client": (
        "The client may not use this grant",
        "Use a grant that it is registered for; its Connect page shows an example.",
    ),
    "unsupported_grant_type": (
        "This grant is not offered",
        "Use client_credentials, or authorization_code with PKCE. Passwords and implicit tokens are not served.",
    ),
    "invalid_scope": (
        "A scope was asked for that the client may not have",
        "Compare the scope of the request with the permissions in the client’s settings. They must match exactly.",
    ),
    "invalid_target": (
        "The client may get no token for this API",
        "Compare resource with the identifiers of its APIs. They must match exactly.",
    ),
    "invalid_token": (
        "The API did not accept the access token",
        "Paste the token itself: the inspector tells an expired token from a wrong audience, issuer or key.",
    ),
    "insufficient_scope": (
        "The token is good, but lacks a scope",
        "Add the permission in the client’s settings, ask for it in scope, and get a new token.",
    ),
    "access_denied": ("The person said no", "Tell them why the permission is needed, and let them try again."),
    "login_required": (
        "The person has to sign in first",
        "prompt=none shows no page. Send them again without it.",
    ),
    "consent_required": (
        "The person has to be asked first",
        "prompt=none shows no page. Send them again without it.",
    ),
    "interaction_required": ("The person has to do something first", "Send them again without prompt=none."),
    "account_selection_required": ("The person has to choose an account", "Send them again without prompt=none."),
    "unsupported_response_type": ("Only the code flow is served", "Send response_type=code, with PKCE."),
    "unsupported_response_mode": ("This response mode is not served", "Leave response_mode out."),
    "request_not_supported": ("Signed requests are not served", "Send the parameters themselves, or push them (PAR)."),
    "request_uri_not_supported": (
        "Requests by reference are not served",
        "Send the parameters themselves, or push them to us (PAR).",
    ),
    "invalid_dpop_proof": (
        "The DPoP proof was refused",
        (
            "Create a new one for each request: method, URL without query, current time, a new jti, and the key of the "
            "token."
        ),
    ),
    "use_dpop_nonce": (
        "The proof must carry a nonce",
        (
            "Take it from the DPoP-Nonce header of this response, and send the request again. Libraries do so "
            "automatically."
        ),
    ),
    "authorization_pending": ("The person has not decided yet", "Ask again after the interval."),
    "slow_down": ("The program asks too often", "Wait five seconds more between requests."),
    "expired_token": ("The device code has expired", "Start again, and show the new code."),
    "server_error": ("Something went wrong on our side", "Tell the operator the X-Request-Id of the response."),
    "temporarily_unavailable": (
        "The service is restarting, or too many requests from the program’s IP address failed to authenticate",
        "Wait as many seconds as Retry-After says. With status 429, fix client ID and credentials before you continue.",
    ),
    "invalid_redirect_uri": ("A redirect URI cannot be registered", "error_description says which and why."),
    "invalid_client_metadata": ("A value cannot be registered", "error_description says which and why."),
}
