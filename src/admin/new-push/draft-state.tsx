import { countOf } from '../layout/format.tsx'

interface DraftStateProps {
  /** The devices that match now; undefined without a recipient. */
  count: number | undefined
  problems: readonly string[]
}

/** How many devices a push reaches while it is written, and what it lacks. */
export function DraftState({ count, problems }: DraftStateProps) {
  return (
    <>
      {count !== undefined && (
        <p>
          <strong>{`${countOf(count, 'device')} ${count === 1 ? 'matches' : 'match'} now.`}</strong>
        </p>
      )}
      {problems.length > 0 && (
        <ul class="faint">
          {problems.map((problem) => (
            <li>{problem}</li>
          ))}
        </ul>
      )}
    </>
  )
}
