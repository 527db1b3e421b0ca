import type { ServerResponse } from 'node:http'
import type { Config } from '../config/schema.ts'
import { trustedAuthorities } from '../http2/trusted-authorities.ts'
import type { Logger } from '../observability/log.ts'
import { answerText, answerTooLarge } from '../server/answer.ts'
import { BodyTooLargeError } from '../upstream/request-body.ts'
import { Upstream } from '../upstream/upstream.ts'
import { readCa } from './read-ca.ts'

/** The sections of the endpoints to which clients connect. */
const ENDPOINTS = [
  'websocket',
  'sse',
  'http_stream',
  'emulation',
  'uni_websocket',
  'uni_sse',
  'uni_http_stream',
  'init',
] as const

/** Makes the HTTP connection to the Centrifugo node. @throws ConfigError if upstream.ca_file can't be read */
export function makeUpstream(config: Config, upstream: NonNullable<Config['upstream']>, logger: Logger): Upstream {
  return new Upstream({
    options: {
      address: upstream.address,
      apiKey: upstream.api_key,
      timeoutMs: upstream.timeout,
      connectTimeoutMs: upstream.connect_timeout,
      maxConnections: upstream.max_connections,
      ca: trustedAuthorities(readCa('upstream.ca_file', upstream.ca_file)),
      transportErrors: config.http_api.error_mode === 'transport',
      maxRequestBytes: config.http_api.max_request_body_size,
      paths: {
        connections: ENDPOINTS.map((name) => config[name].handler_prefix),
        sse: [config.sse.handler_prefix, config.uni_sse.handler_prefix],
        admin: upstream.admin_handler_prefix,
      },
      trustedProxies: config.http_server.trusted_proxies,
    },
    onFailure,
    logger,
  })
}

/** How long the parent of an API process may take to begin an answer, such as a page of the web UI, in ms. */
const PARENT_TIMEOUT_MS = 120_000
const PARENT_CONNECT_TIMEOUT_MS = 5000

/** Makes the HTTP connection from an API process to a server of its parent. */
export function makeWayToParent(config: Config, url: string, logger: Logger): Upstream {
  return new Upstream({
    options: {
      address: url,
      apiKey: '',
      timeoutMs: PARENT_TIMEOUT_MS,
      connectTimeoutMs: PARENT_CONNECT_TIMEOUT_MS,
      maxConnections: 1,
      ca: undefined,
      transportErrors: false,
      maxRequestBytes: config.http_api.max_request_body_size,
      paths: { connections: [], sse: [], admin: undefined },
      trustedProxies: config.http_server.trusted_proxies,
    },
    onFailure,
    logger,
  })
}

function onFailure(outgoing: ServerResponse, error: Error): void {
  if (error instanceof BodyTooLargeError) answerTooLarge(outgoing)
  else answerText(outgoing, 502, 'Bad Gateway')
}
