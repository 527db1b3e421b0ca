import { makeVapidKeys } from '../providers/webpush/vapid-keys.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `centripush gen-vapid-keys

Makes a VAPID key pair for Web Push and prints it as configuration. Keep the pair: pushes signed with another key do not
reach the browsers that subscribed with this one.

For example: centripush gen-vapid-keys > webpush.yaml

Exits with 0, or with 2 when the command line is wrong.
`

/** The command `centripush gen-vapid-keys`: prints a new VAPID key pair as configuration. @throws CommandLineError */
export async function runGenVapidKeys(argv: string[]): Promise<void> {
  const { values } = parseArguments({ args: argv, options: { help: { type: 'boolean', short: 'h', default: false } } })
  process.stdout.write(values.help ? HELP : describeKeys(makeVapidKeys()))
}

function describeKeys({ publicKey, privateKey }: { publicKey: string; privateKey: string }): string {
  return `# Put this into the configuration of centripush (YAML). The private key is a secret; it can be in a file
# instead, named by CENTRIPUSH_PUSH_NOTIFICATIONS_WEBPUSH_VAPID_PRIVATE_KEY_FILE.
push_notifications:
  webpush:
    # The applicationServerKey of the browser's pushManager.subscribe().
    vapid_public_key: ${JSON.stringify(publicKey)}
    vapid_private_key: ${JSON.stringify(privateKey)}
    # The contact for operators of push services.
    subject: mailto:you@example.com
`
}
