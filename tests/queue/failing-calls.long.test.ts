// The contract of the queue with calls that fail one time in ten, before or after their work.
import { describeFailingQueue } from './contract.ts'
import { describeOnPostgres } from './on-postgres.ts'
import { describeOnRedis } from './on-redis.ts'

describeOnPostgres(describeFailingQueue)
describeOnRedis(describeFailingQueue)
