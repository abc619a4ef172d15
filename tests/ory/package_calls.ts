// Every operation of the package's client API, one after another; prints what came back.
import { Configuration, OAuth2Api } from "@ory/client"

const api = new OAuth2Api(new Configuration({ accessToken: process.env.ORY_API_KEY }))

async function main() {
  const created = await api.createOAuth2Client({
    oAuth2Client: {
      client_name: "Nightly export",
      owner: "export team",
      grant_types: ["client_credentials"],
      response_types: ["code"],
      scope: "shipments:read",
      token_endpoint_auth_method: "client_secret_basic",
      metadata: { team: "export" },
      client_credentials_grant_access_token_lifespan: "15m",
    },
  })
  const id = created.data.client_id!
  const listed = await api.listOAuth2Clients({ clientName: "Nightly export", owner: "export team", pageSize: 10 })
  const got = await api.getOAuth2Client({ id })
  const put = await api.setOAuth2Client({ id, oAuth2Client: got.data })
  const lifespans = await api.setOAuth2ClientLifespans({
    id,
    oAuth2ClientTokenLifespans: { client_credentials_grant_access_token_lifespan: "31m0s" },
  })
  const rotated = await api.rotateOAuth2ClientSecret({ id })
  const token = await fetch(`${process.env.API_URL}/oauth2/token`, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${id}:${rotated.data.client_secret}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  }).then((answer) => answer.json())
  const active = await api.introspectOAuth2Token({ token: token.access_token, scope: "shipments:read" })
  await api.deleteOAuth2Token({ clientId: id })
  const ended = await api.introspectOAuth2Token({ token: token.access_token })
  const dropped = await api.deleteRotatedOAuth2ClientSecrets({ id })
  const deleted = await api.deleteOAuth2Client({ id })
  const bad = await api.createOAuth2Client({ oAuth2Client: { subject_type: "pairwise" } }).catch((error) => error.response)
  console.log(
    JSON.stringify({
      location: created.headers.location,
      created: created.data,
      listed: listed.data,
      got: got.data,
      put: put.data,
      lifespans: lifespans.data,
      rotated: rotated.data,
      expires_in: token.expires_in,
      active: active.data,
      ended: ended.data,
      dropped: dropped.data,
      deleted: deleted.status,
      bad: { status: bad.status, body: bad.data },
    }),
  )
}

main()
