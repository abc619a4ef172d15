// A small shipments API. A caller needs an access token of your Clientdesk, with the scope of what it asks for.

import Fastify from 'fastify'
import { needs } from './tokens.js'

const app = Fastify()
app.decorateRequest('claims', null)
const shipments = [{ id: 1, destination: 'Rotterdam', booked_by: 'the harbour office' }]

app.get('/shipments', { onRequest: needs('shipments:read') }, async () => shipments)

const body = { type: 'object', required: ['destination'], properties: { destination: { type: 'string' } } }
app.post('/shipments', { onRequest: needs('shipments:write'), schema: { body } }, async (request, reply) => {
  const { destination } = request.body
  const booked = { id: shipments.length + 1, destination, booked_by: request.claims.client_id }
  shipments.push(booked)
  return reply.code(201).send(booked)
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? '8001') })
