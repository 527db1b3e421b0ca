import { type Claims, compileClaimsExpression, reasonOf } from '../../../config/claims-expression.ts'
import type { AdminRole } from '../session.ts'
import type { OidcOptions } from './oidc-options.ts'

const MAX_NAME = 200

/** A person at the identity provider. `role` is undefined if no rule admits the person. */
export interface Person {
  name: string
  role: AdminRole | undefined
  /** Why the rules admit the person or not, for the log; no values of claims. */
  why: string
}

/** Makes the function that finds the rights of a person. */
export function makeAccessRules({ adminRule, viewerRule }: Pick<OidcOptions, 'adminRule' | 'viewerRule'>) {
  const rules = [
    { role: 'admin', option: 'access_cel', admits: compileClaimsExpression(adminRule) },
    ...(viewerRule === undefined
      ? []
      : [{ role: 'viewer', option: 'viewer_access_cel', admits: compileClaimsExpression(viewerRule) } as const]),
  ] as const
  return (claims: Claims): Person => {
    const name = nameOf(claims)
    const refusals: string[] = []
    for (const { role, option, admits } of rules) {
      const refusal = evaluate(admits, claims)
      if (refusal === undefined) return { name, role, why: `admin.oidc.${option}` }
      refusals.push(`admin.oidc.${option}: ${refusal}`)
    }
    const names = Object.keys(claims).sort().join(', ')
    return { name, role: undefined, why: `${refusals.join('; ')}. The person has the claims ${names}` }
  }
}

/** The reason why a rule does not admit a person; undefined if it does. A rule with a missing claim admits nobody. */
function evaluate(admits: (claims: Claims) => boolean, claims: Claims): string | undefined {
  try {
    return admits(claims) ? undefined : 'is false'
  } catch (error) {
    return reasonOf(error)
  }
}

/** People can choose their own address at some identity providers, so the name always has the subject too. */
function nameOf({ sub, email }: Claims): string {
  const subject = typeof sub === 'string' && sub !== '' ? sub : 'without a name'
  const name = typeof email === 'string' && email !== '' && email !== subject ? `${email} (${subject})` : subject
  return name.slice(0, MAX_NAME)
}
