// The fenced blocks of a document.
import { readFileSync } from 'node:fs'

/**
 * A fenced block. The first word after its fence is the language; the second one, which a reader does not see, says how
 * the block is run (`run-block.ts`).
 */
export interface Block {
  /** The line of its text in the document, from 1. */
  line: number
  language: string
  /** The second word; empty if there is none. */
  use: string
  text: string
  /** The reason why it is not run, from the comment before it: `<!-- not run: REASON -->`. */
  notRun: string | undefined
}

const FENCE = /^```(\S*) ?(.*)$/
const NOT_RUN = /^<!-- not run: (.+) -->$/

/** Reads the blocks of a Markdown file. */
export function readBlocks(file: string): Block[] {
  const blocks: Block[] = []
  let open: Block | undefined
  let previous = ''
  for (const [index, text] of readFileSync(file, 'utf8').split('\n').entries()) {
    const [isFence, language = '', use = ''] = FENCE.exec(text) ?? []
    if (isFence === undefined) {
      if (open) open.text += `${text}\n`
    } else if (open) {
      blocks.push(open)
      open = undefined
    } else {
      open = { line: index + 2, language, use, text: '', notRun: NOT_RUN.exec(previous)?.[1] }
    }
    previous = text
  }
  return blocks
}
