/** A notification for one provider: the bytes of `message` or `payload`, a JSON object as the caller wrote it, and its headers. */
export interface Notification {
  json: Buffer
  headers: ReadonlyMap<string, string>
}
