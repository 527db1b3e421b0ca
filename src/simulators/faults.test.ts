import { describe, expect, it } from 'vitest'
import { type Fault, Faults, SHARED_FAULTS } from './faults.ts'

describe('faults', () => {
  it('happen to targets that begin with their word and a hyphen', () => {
    const faults = new Faults<Fault>({ table: SHARED_FAULTS })
    expect(faults.take('hang-1')?.wire).toBe('hang')
    expect(faults.take('hang-1')?.wire).toBe('hang')
    for (const target of ['hang', 'hanger-1', 'x-hang-1', 'toString-1', '']) expect(faults.take(target)).toBeUndefined()
  })

  it('with "once-" after the word happen once to each target', () => {
    const faults = new Faults<Fault>({ table: SHARED_FAULTS })
    expect(faults.take('cut-once-1')?.wire).toBe('cut')
    expect(faults.take('cut-once-1')).toBeUndefined()
    expect(faults.take('cut-once-2')?.wire).toBe('cut')
  })

  it('happen to a random share of the requests, with equal chances for each word', () => {
    const words = ['hang', 'cut']
    let next = 0
    // Each request takes random numbers: the first decides whether there is a fault, the next which one.
    const random = () => [0.04, 0.9, 0.06, 0.049, 0.1][next++ % 5] ?? 0
    const faults = new Faults<Fault>({ table: SHARED_FAULTS, misbehaviour: { share: 0.05, random, words } })
    expect([faults.take('a'), faults.take('b'), faults.take('c')].map((fault) => fault?.wire)).toEqual([
      'cut',
      undefined,
      'hang',
    ])
  })
})
