// jose and jwks-rsa verify an identity token as a backend does; the first lines are those of Zuplo's own page.
import { createVerify } from "node:crypto";
import * as jose from "jose";
import jwksClient from "jwks-rsa";
import { finish, told } from "./conversation.mjs";

const JWKS = jose.createRemoteJWKSet(new URL(`${told.workload_issuer}/.well-known/jwks.json`));
const verified = (token, changes = {}) =>
  jose
    .jwtVerify(token, JWKS, { issuer: told.workload_issuer, audience: told.audience, ...changes })
    .then(({ payload, protectedHeader }) => ({ payload, protectedHeader }), (error) => ({ error: error.code }));

const keys = jwksClient({ jwksUri: `${told.workload_issuer}/.well-known/jwks.json` });
const [header, claims, signature] = told.token.split(".");
const { kid } = JSON.parse(Buffer.from(header, "base64url"));
const key = await keys.getSigningKey(kid);
const rsa = createVerify("RSA-SHA256").update(`${header}.${claims}`);

finish({
  verified: await verified(told.token),
  elsewhere: await verified(told.token, { audience: "https://elsewhere.example" }),
  other: await verified(told.access_token, { audience: undefined }),
  kid: key.kid,
  rsa: rsa.verify(key.getPublicKey(), Buffer.from(signature, "base64url")),
  foreign: await keys.getSigningKey(told.access_kid).then(() => "found", (error) => error.name),
});
