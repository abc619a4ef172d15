// The npm package jose verifies an access token as an API does.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { finish, told } from "./conversation.mjs";

const keys = createRemoteJWKSet(new URL(told.jwks_uri));
const checks = { issuer: told.issuer, audience: told.audience, typ: "at+jwt" };
const { payload, protectedHeader } = await jwtVerify(told.token, keys, checks);
const elsewhere = await jwtVerify(told.token, keys, { ...checks, audience: "https://elsewhere.example" }).then(
  () => "accepted",
  (error) => error.code,
);
finish({ payload, header: protectedHeader, elsewhere });
