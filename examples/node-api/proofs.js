// A token that is bound to a key opens nothing without a proof of that key (DPoP, RFC 9449). Copy it with tokens.js.

import { createHash } from 'node:crypto'
import { EmbeddedJWK, calculateJwkThumbprint, errors, jwtVerify } from 'jose'

const ORIGIN = process.env.ORIGIN?.replace(/\/$/, '') // this API's own, such as https://api.example.com, behind a proxy
const WINDOW = 60 // seconds that a proof is good for, and that two clocks may differ
const used = new Map() // proofs of this process; with several, keep them where all of them can see them

const rules = {
  typ: 'dpop+jwt',
  algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
  requiredClaims: ['jti', 'iat'],
  maxTokenAge: WINDOW,
  clockTolerance: WINDOW,
}

// The proof does not hold for this request.
export class InvalidProof extends Error {}

// Throw InvalidProof, or an error of jose, unless the token comes as it must (RFC 9449 section 7).
export async function requireProof(request, scheme, token) {
  const bound = request.claims.cnf?.jkt
  if (scheme.toLowerCase() === 'bearer') {
    // Else a stolen token would open this API as a bearer token.
    if (bound !== undefined) throw new errors.JWTInvalid('it is bound to a key: send it as DPoP, with a proof')
    return
  }
  if ((await prove(request, token)) !== bound) throw new errors.JWTInvalid('it is not bound to the key of the proof')
}

// Return the thumbprint of the key that the request's proof shows (RFC 9449 section 4.3).
async function prove(request, token) {
  let proof
  try {
    proof = await jwtVerify(request.headers.dpop ?? '', EmbeddedJWK, rules) // a second header makes it no JWT
  } catch (error) {
    throw new InvalidProof(error.message)
  }
  const { htm, htu, ath, jti, iat } = proof.payload
  const place = `${ORIGIN ?? `${request.protocol}://${request.host}`}${request.url.split('?')[0]}`
  const digest = createHash('sha256').update(token).digest('base64url')
  if (htm !== request.method || htu !== place || ath !== digest) throw new InvalidProof('it is for another request')
  const thumbprint = await calculateJwkThumbprint(proof.protectedHeader.jwk)
  if (!once(`${thumbprint} ${jti}`, iat)) throw new InvalidProof('it was used before')
  return thumbprint
}

// Say whether the proof is used for the first time; forget those that are too old anyway.
function once(name, iat) {
  const now = Date.now() / 1000
  for (const [old, end] of used) if (end < now) used.delete(old)
  if (used.has(name)) return false
  used.set(name, iat + 3 * WINDOW)
  return true
}
