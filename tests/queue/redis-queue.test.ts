import { describeQueue } from './contract.ts'
import { describeOnRedis } from './on-redis.ts'

describeOnRedis(describeQueue)
