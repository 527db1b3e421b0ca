import { runCommandLine } from './cli/run-command-line.ts'
import { surviveLostConnections } from './database/lost-connections.ts'

surviveLostConnections()
process.exitCode = await runCommandLine(process.argv.slice(2))
