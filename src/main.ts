import { runCommandLine } from './cli/run-command-line.ts'
import { endAtStopSignals } from './cli/stop-signals.ts'
import { surviveLostConnections } from './database/lost-connections.ts'

if (process.argv[2] === 'serve') endAtStopSignals()
surviveLostConnections()
process.exitCode = await runCommandLine(process.argv.slice(2))
