// Compares every IANA zone with the reference, every half hour of 2026 and 2027: npm run check:time-zones. It takes
// minutes.
import { findDifferences, ZONES } from './reference-windows.ts'

const [FROM_MS, UNTIL_MS] = [Date.UTC(2026, 0), Date.UTC(2028, 0)]

let differing = 0
for (const zone of ZONES) {
  const differences = findDifferences(zone, FROM_MS, UNTIL_MS)
  for (const difference of differences.slice(0, 3)) console.log(difference)
  if (differences.length > 0) differing++
}
console.log(`${ZONES.length} zones, ${differing} with differences`)
process.exitCode = differing > 0 ? 1 : 0
