"""DPoP proofs: which key a request's sender holds (RFC 9449)."""

from authority.diagnostics.problem_messages.messages import plain

LIBRARY = "Let an OAuth library make the proofs, and make a new one for each request."

plain(
    "dpop_missing",
    "The DPoP proof is missing",
    "This client’s tokens are bound to a key, but the request has no proof in the header DPoP.",
    "Send a proof with each token request, or no longer require it in the client’s settings.",
    "settings",
)
plain("dpop_malformed", "The DPoP proof cannot be read", "The header DPoP does not hold one signed JWT.", LIBRARY)
plain("dpop_type", "The DPoP proof has another type", "The proof’s header must say typ=dpop+jwt.", LIBRARY)
plain(
    "dpop_algorithm",
    "The DPoP proof is signed with an algorithm that is not served",
    "The proof’s alg is none, a shared-secret algorithm, or unknown.",
    "Use ES256 or another of dpop_signing_alg_values_supported in discovery.",
)
plain(
    "dpop_key",
    "The DPoP proof’s key is not fit",
    "The proof’s header must carry the public key that fits its alg, as jwk. A private key stays with the program.",
    "Send the public half. If a private key was sent, make a new one: it is no secret any more.",
)
plain(
    "dpop_signature", "The DPoP proof’s signature is wrong", "Another key signed it than the one it carries.", LIBRARY
)
plain("dpop_claims", "The DPoP proof lacks a claim", "jti or iat is missing or malformed.", LIBRARY)
plain(
    "dpop_method",
    "The DPoP proof is for another method",
    "The proof’s htm is not the method of the request.",
    LIBRARY,
)
plain(
    "dpop_place",
    "The DPoP proof is for another address",
    "The proof’s htu is not the address that it was sent to, as discovery names it.",
    "Make the proof for the endpoint’s public address: https, the portal’s host, no query.",
)
plain("dpop_token", "The DPoP proof is for another token", "The proof’s ath is not the digest of the token.", LIBRARY)
plain(
    "dpop_time",
    "The DPoP proof is too old, or of the future",
    "The proof’s iat is more than five minutes from now.",
    "Set the clock of the machine that makes the proofs, and make a new proof for each request.",
)
plain(
    "dpop_nonce",
    "The DPoP proof needs the latest nonce",
    "The proof has no nonce, or an old one. The answer gave a new one in the header DPoP-Nonce.",
    "Libraries repeat the request by themselves. If yours does not, look for its DPoP nonce option.",
)
plain("dpop_replayed", "The DPoP proof was used twice", "Its jti was seen before, with the same key.", LIBRARY)
plain(
    "dpop_other_key",
    "The token is bound to another key",
    "The code, refresh token or access token belongs to a key that the proof does not show.",
    "Use the same key from sign-in to the last refresh. A browser app must keep it across reloads.",
)
plain(
    "dpop_downgrade",
    "A bound token came without its proof",
    "The token is bound to a key, and was sent as a bearer token.",
    "Send it as Authorization: DPoP, with a proof in the header DPoP.",
)
