"""Messages for DPoP proofs (RFC 9449)."""

from authority.diagnostics.problem_messages.messages import static

LIBRARY = "Let an OAuth library create the proofs, with a new one for each request."

static(
    "dpop_missing",
    "The DPoP proof is missing",
    "This client’s tokens are bound to a key, but the request has no proof in the header DPoP.",
    "Send a proof with each token request, or no longer require it in the client’s settings.",
    "settings",
)
static("dpop_malformed", "The DPoP proof cannot be read", "The header DPoP does not hold one signed JWT.", LIBRARY)
static("dpop_type", "The DPoP proof has another type", "The proof’s header must say typ=dpop+jwt.", LIBRARY)
static(
    "dpop_algorithm",
    "The DPoP proof is signed with an algorithm that is not served",
    "The proof’s alg is none, a shared-secret algorithm, or unknown.",
    "Use ES256 or another of dpop_signing_alg_values_supported in discovery.",
)
static(
    "dpop_key",
    "The DPoP proof’s key does not match",
    "The proof’s header must carry the public key that fits its alg, as jwk. A private key stays with the program.",
    "Send the public key. If a private key was sent, create a new one: it is no longer secret.",
)
static(
    "dpop_signature",
    "The DPoP proof’s signature is wrong",
    "It was signed with another key than the one it carries.",
    LIBRARY,
)
static("dpop_claims", "The DPoP proof lacks a claim", "jti or iat is missing or malformed.", LIBRARY)
static(
    "dpop_method",
    "The DPoP proof is for another method",
    "The proof’s htm is not the method of the request.",
    LIBRARY,
)
static(
    "dpop_place",
    "The DPoP proof is for another URL",
    "The proof’s htu is not the URL that it was sent to, as discovery names it.",
    "Create the proof for the endpoint’s public URL: https, the portal’s host, no query.",
)
static("dpop_token", "The DPoP proof is for another token", "The proof’s ath is not the digest of the token.", LIBRARY)
static(
    "dpop_time",
    "The DPoP proof is too old, or from the future",
    "The proof’s iat is more than five minutes from now.",
    "Correct the clock of the machine that creates the proofs, and create a new proof for each request.",
)
static(
    "dpop_nonce",
    "The DPoP proof needs the latest nonce",
    "The proof has no nonce, or an old one. The response had a new one in the header DPoP-Nonce.",
    "Libraries repeat the request automatically. If yours does not, look for its DPoP nonce option.",
)
static("dpop_replayed", "The DPoP proof was used twice", "Its jti was seen before, with the same key.", LIBRARY)
static(
    "dpop_other_key",
    "The token is bound to another key",
    "The code, refresh token or access token belongs to a key that the proof does not show.",
    "Use the same key from sign-in to the last refresh. A browser app must keep it across reloads.",
)
static(
    "dpop_downgrade",
    "A bound token came without its proof",
    "The token is bound to a key, and was sent as a bearer token.",
    "Send it as Authorization: DPoP, with a proof in the header DPoP.",
)
