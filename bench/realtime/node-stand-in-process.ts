// A stub of a node that answers each command of a batch with a publication, at about the cost of a node.
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

const REPLY = '{"publish":{"offset":1,"epoch":"e"}}'

const server = createServer((incoming, outgoing) => {
  buffer(incoming).then(
    (body) => {
      const { commands = [undefined] } = JSON.parse(body.toString())
      const answer = `{"replies":[${Array.from(commands, () => REPLY).join(',')}]}`
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer)
    },
    () => outgoing.destroy(),
  )
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address ? address.port : 0)
})
// Ends with its parent.
process.once('disconnect', () => process.exit())
