// Who may call: verifies Clientdesk's access tokens (RFC 9068). Copy this file into your API.

import { createRemoteJWKSet, jwtVerify } from 'jose'
import { InvalidProof, requireProof } from './proofs.js'

const ISSUER = process.env.ISSUER?.replace(/\/$/, '') // the address of your Clientdesk
const { AUDIENCE } = process.env // this API's identifier there
if (!ISSUER || !AUDIENCE) stop('Set ISSUER and AUDIENCE.')

const discovery = await fetch(`${ISSUER}/.well-known/openid-configuration`)
  .then((answer) => (answer.ok ? answer.json() : stop(`${answer.url} answers ${answer.status}.`)))
  .catch((error) => stop(`Cannot read the configuration of ${ISSUER}: ${error.cause?.message ?? error.message}`))
if (discovery.issuer !== ISSUER) stop(`${ISSUER} calls itself ${discovery.issuer}: set ISSUER to that.`) // RFC 8414 3.3

// Keys stay in memory. A key that the issuer takes back is refused here after cacheMaxAge; a token that names an
// unknown key asks the issuer again, once in cooldownDuration, so that made-up ids cannot turn this API against it.
const keys = createRemoteJWKSet(new URL(discovery.jwks_uri), { cacheMaxAge: 300_000, cooldownDuration: 30_000 })

const rules = {
  issuer: ISSUER,
  audience: AUDIENCE,
  typ: 'at+jwt', // an ID token carries a signature of the same issuer; its type keeps it out (RFC 9068 section 4)
  algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'], // public-key ones alone, whatever a token says (RFC 8725 section 3.1)
  requiredClaims: ['exp', 'sub', 'client_id', 'iat', 'jti'], // RFC 9068 section 2.2; iss and aud are compared above
  clockTolerance: 5, // seconds that two clocks may differ
}

// What jose says when the keys cannot be read, which is no fault of the token.
const outages = ['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT', undefined]

// Let a request pass whose token is good and has the scope; refuse any other (RFC 6750 section 3.1).
export const needs = (scope) => async (request, reply) => {
  const refuse = (status, challenge, message) =>
    reply.code(status).header('WWW-Authenticate', challenge).send({ message })

  const [, scheme, token] = /^(Bearer|DPoP) +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  if (!token) return refuse(401, 'Bearer', 'Send an access token.')
  try {
    request.claims = (await jwtVerify(token, keys, rules)).payload
    await requireProof(request, scheme, token)
  } catch (error) {
    if (error instanceof InvalidProof) {
      const challenge = `DPoP error="invalid_dpop_proof", algs="${rules.algorithms.join(' ')}"`
      return refuse(401, challenge, `The DPoP proof is not accepted: ${error.message}.`)
    }
    if (outages.includes(error.code)) {
      return reply.code(503).header('Retry-After', '30').send({ message: "The issuer's keys cannot be read now." })
    }
    return refuse(401, 'Bearer error="invalid_token"', `The access token is not accepted: ${error.message}.`)
  }
  if (!String(request.claims.scope ?? '').split(' ').includes(scope)) {
    return refuse(403, `Bearer error="insufficient_scope", scope="${scope}"`, `The token lacks ${scope}.`)
  }
}

function stop(reason) {
  console.error(reason)
  process.exit(1)
}
