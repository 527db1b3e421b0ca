import type { Config } from '../config/schema.ts'
import { trustedAuthorities } from '../http2/trusted-authorities.ts'
import type { Logger } from '../observability/log.ts'
import { answerText, answerTooLarge } from '../server/answer.ts'
import { BodyTooLargeError } from '../upstream/request-body.ts'
import { Upstream } from '../upstream/upstream.ts'
import { readCa } from './read-ca.ts'

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
    },
    onFailure: (outgoing, error) => {
      if (error instanceof BodyTooLargeError) answerTooLarge(outgoing)
      else answerText(outgoing, 502, 'Bad Gateway')
    },
    logger,
  })
}
