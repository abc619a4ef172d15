// The npm package openid-client on a device without a browser (RFC 8628).
import * as client from "openid-client";
import { finish, showOnDevice, told } from "./conversation.mjs";

const insecure = { execute: [client.allowInsecureRequests] }; // the test's server has no TLS
const configuration = await client.discovery(new URL(told.issuer), told.client_id, {}, client.None(), insecure);
const asked = await client.initiateDeviceAuthorization(configuration, { scope: told.scope });
showOnDevice(asked.verification_uri_complete);
const tokens = await client.pollDeviceAuthorizationGrant(configuration, asked);
const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims().sub);
finish({ userinfo, scope: tokens.scope });
