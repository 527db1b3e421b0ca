/** The HTTP answer of a simulator. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** Makes an answer with a JSON body. */
export function jsonAnswer(status: number, body: object, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: JSON.stringify(body),
  }
}
