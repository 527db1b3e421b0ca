import { describeQueue } from './contract.ts'
import { describeOnPostgres } from './on-postgres.ts'

describeOnPostgres(describeQueue)
