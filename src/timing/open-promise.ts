/** A promise that its maker resolves. */
export interface OpenPromise {
  readonly promise: Promise<void>
  resolve(): void
}

/** Makes a promise to be resolved later, as `Promise.withResolvers` of Node 22 does. */
export function makeOpenPromise(): OpenPromise {
  let resolve = () => {}
  const promise = new Promise<void>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}
