// Runs the samples for clients that register themselves as their documentation shows them; prints what they printed.
import { OidcApi } from "@ory/client"
import { createOidcDynamicClient } from "./samples/createOidcDynamicClient"
import { deleteOidcDynamicClient } from "./samples/deleteOidcDynamicClient"
import { getOidcDynamicClient } from "./samples/getOidcDynamicClient"
import { createOidcDynamicClient as setOidcDynamicClient } from "./samples/setOidcDynamicClient"

const print = console.log
const printed: unknown[] = []
console.log = (...words: unknown[]) => void printed.push(...words)

async function main() {
  await createOidcDynamicClient()
  const [token, id, secret] = printed.splice(0) as string[]
  await getOidcDynamicClient(id, token)
  await setOidcDynamicClient(id, { client_name: "Renamed by itself", redirect_uris: ["https://example.com"] })
  const [fresh] = printed.splice(0) as string[]
  const former = await getOidcDynamicClient(id, token).catch((error) => error.response.status)
  const { data } = await new OidcApi().getOidcDynamicClient({ id }, { headers: { Authorization: `Bearer ${fresh}` } })
  await deleteOidcDynamicClient(id, fresh)
  const gone = await getOidcDynamicClient(id, fresh).catch((error) => error.response.status)
  print(JSON.stringify({ token, id, secret, fresh, former, data, gone }))
}

main()
