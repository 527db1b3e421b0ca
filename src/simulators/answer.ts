/** An answer of a simulator. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** An answer whose body is JSON. */
export function jsonAnswer(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: JSON.stringify(body),
  }
}
