import * as v from 'valibot'
import { described, section } from '../option.ts'
import { text } from '../values.ts'

function endpoint(name: string, path: string) {
  const handler_prefix = described(
    v.optional(text, path),
    'The path of the endpoint: that of the node. Clients use the same path here.',
  )
  return described(v.optional(section({ handler_prefix }), {}), `${name}, served by the node.`)
}

/** The endpoints of the node to which its clients connect, with the options of the node that centripush needs. */
export const endpoints = {
  websocket: endpoint('WebSocket', '/connection/websocket'),
  sse: endpoint('SSE', '/connection/sse'),
  http_stream: endpoint('HTTP streaming', '/connection/http_stream'),
  emulation: endpoint('Commands of SSE and HTTP streaming', '/emulation'),
  uni_websocket: endpoint('Unidirectional WebSocket', '/connection/uni_websocket'),
  uni_sse: endpoint('Unidirectional SSE', '/connection/uni_sse'),
  uni_http_stream: endpoint('Unidirectional HTTP streaming', '/connection/uni_http_stream'),
  init: endpoint('Initialization of connections', '/connection/init'),
}
