import type { Http2Batch, Http2Request, Http2Response } from '../http2-client.ts'

/** Sends a batch of one request. @throws Http2Error when there is no answer */
export function requestOnce(
  client: { send(batch: Http2Batch): Promise<void> },
  request: Http2Request,
): Promise<Http2Response> {
  const { body, answerHeaders = [], ...shared } = request
  return new Promise((resolve, reject) => {
    client
      .send({
        ...shared,
        count: 1,
        answerHeaders,
        ...(body && { writeBody: (_, writer) => writer.bytes(body) }),
        onAnswer: (_, answer) => {
          const headers = new Map<string, string>()
          for (const name of answerHeaders) {
            const value = answer.header(name)
            if (value !== undefined) headers.set(name, value)
          }
          resolve({ status: answer.status, headers, body: answer.bodyBytes() })
        },
        onFailure: (_, error) => reject(error),
      })
      .catch(reject)
  })
}
