/** The notification of a send for one provider. */
export interface Notification {
  /** The bytes of `message` or `payload` in the request, unchanged: a JSON object. */
  json: Buffer
  headers: ReadonlyMap<string, string>
}
