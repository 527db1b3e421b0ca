// Decodes HPACK's Huffman code (RFC 7541 section 5.2 and Appendix B) four bits at a time. Each inner node of the code
// tree is a state. A table contains, for each state and each value of four bits, the next state and the completed
// symbol. There is at most one symbol, because the shortest code has five bits.

/**
 * Code length in bits of each byte and, last, of EOS. The code is canonical: codes of equal length are consecutive
 * numbers in the order of their symbols, so the lengths define all codes.
 */
// biome-ignore format: 16 symbols a line
const CODE_LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
]

const EOS = 256
const ROOT = 0
/** A transition: the completed symbol in the low byte, two flags above it, the next state from bit 16 on. */
const HAS_SYMBOL = 1 << 8
const IS_INVALID = 1 << 9
const STATE_SHIFT = 16

type Node = { id: number; zero?: Node | number; one?: Node | number }

function buildTree(): Node[] {
  const nodes: Node[] = [{ id: ROOT }]
  let code = 0
  let length = 0
  const symbols = CODE_LENGTHS.map((bits, symbol) => ({ bits, symbol }))
  for (const { bits, symbol } of symbols.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol)) {
    code <<= bits - length
    length = bits
    addCode(nodes, code++, bits, symbol)
  }
  return nodes
}

function addCode(nodes: Node[], code: number, bits: number, symbol: number): void {
  let node = nodes[ROOT]
  for (let bit = bits - 1; bit >= 0 && node; bit--) {
    const side = (code >> bit) & 1 ? 'one' : 'zero'
    if (bit === 0) {
      node[side] = symbol
      return
    }
    let child: Node | number | undefined = node[side]
    if (typeof child !== 'object') {
      child = { id: nodes.length }
      nodes.push(child)
      node[side] = child
    }
    node = child
  }
}

function buildTransitions(nodes: readonly Node[]): Uint32Array {
  const transitions = new Uint32Array(nodes.length * 16)
  for (const start of nodes) {
    for (let nibble = 0; nibble < 16; nibble++) transitions[start.id * 16 + nibble] = follow(nodes, start, nibble)
  }
  return transitions
}

function follow(nodes: readonly Node[], start: Node, nibble: number): number {
  let node: Node | undefined = start
  let symbol = 0
  for (let bit = 3; bit >= 0; bit--) {
    const child: Node | number | undefined = (nibble >> bit) & 1 ? node?.one : node?.zero
    // A complete EOS in a string is an error (section 5.2).
    if (child === undefined || child === EOS) return IS_INVALID
    if (typeof child === 'number') symbol = HAS_SYMBOL | child
    node = typeof child === 'number' ? nodes[ROOT] : child
  }
  return ((node?.id ?? ROOT) << STATE_SHIFT) | symbol
}

/** Marks the states in which a string may end: the padding is a prefix of EOS and shorter than a byte (section 5.2). */
function findEndStates(nodes: readonly Node[]): Uint8Array {
  const isEnd = new Uint8Array(nodes.length)
  let node = nodes[ROOT]
  for (let depth = 0; depth < 8 && node; depth++) {
    isEnd[node.id] = 1
    node = typeof node.one === 'object' ? node.one : undefined
  }
  return isEnd
}

const NODES = buildTree()
const TRANSITIONS = buildTransitions(NODES)
const IS_END_STATE = findEndStates(NODES)
/** The shortest code has five bits, so a byte completes at most two symbols. */
const MAX_SYMBOLS_PER_BYTE = 2
let symbols = Buffer.allocUnsafeSlow(1024)

/**
 * Decodes the bytes from `from` to `to` into a string with one character per byte; undefined when they are not valid.
 */
export function decodeHuffman(bytes: Buffer, from: number, to: number): string | undefined {
  const capacity = (to - from) * MAX_SYMBOLS_PER_BYTE
  if (symbols.length < capacity) symbols = Buffer.allocUnsafeSlow(capacity)
  let state = ROOT
  let length = 0
  for (let at = from * 2; at < to * 2; at++) {
    const byte = bytes.readUInt8(at >> 1)
    const transition = TRANSITIONS[state * 16 + (at & 1 ? byte & 15 : byte >> 4)] ?? IS_INVALID
    if (transition & IS_INVALID) return undefined
    if (transition & HAS_SYMBOL) symbols[length++] = transition & 0xff
    state = transition >>> STATE_SHIFT
  }
  return IS_END_STATE[state] === 1 ? symbols.toString('latin1', 0, length) : undefined
}
