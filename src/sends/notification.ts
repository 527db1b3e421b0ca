/** The notification of a send for one provider. */
export interface Notification {
  /** The bytes of `message` or `payload`: a JSON object, unchanged from the request. */
  json: Buffer
  headers: ReadonlyMap<string, string>
}
