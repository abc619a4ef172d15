// Runs the samples for managing clients as their documentation shows them; prints what the API says in between.
import { Configuration, OAuth2Api } from "@ory/client"
import { createOAuth2Client } from "./samples/createOAuth2Client"
import { deleteOAuth2Client } from "./samples/deleteOAuth2Client"
import { patchOAuth2Client } from "./samples/patchOAuth2Client"
import { updateOAuth2Client } from "./samples/updateOAuth2Client"

const api = new OAuth2Api(new Configuration({ accessToken: process.env.ORY_API_KEY }))

async function all() {
  const found = []
  let pageToken: string | undefined
  do {
    const page = await api.listOAuth2Clients({ pageSize: 500, pageToken })
    found.push(...page.data)
    pageToken = /page_token=([^>&]+)[^>]*>; rel="next"/.exec(page.headers.link)?.[1]
  } while (pageToken)
  return found
}

async function main() {
  const before = new Set((await all()).map((client) => client.client_id))
  await createOAuth2Client()
  const created = (await all()).find((client) => !before.has(client.client_id))!
  const id = created.client_id!
  await updateOAuth2Client(id, { client_name: "Renamed" })
  const updated = (await api.getOAuth2Client({ id })).data
  await patchOAuth2Client(id, [{ op: "add", path: "/contacts/-", value: "dana@acme.example" }])
  const patched = (await api.getOAuth2Client({ id })).data
  await deleteOAuth2Client(id)
  const gone = await api.getOAuth2Client({ id }).catch((error) => error.response)
  console.log(JSON.stringify({ created, updated, patched, gone: { status: gone.status, body: gone.data } }))
}

main()
