import type { Child } from 'hono/jsx'
import { THEMES, type Ui } from './ui.ts'

/** The pages in the menu, in groups. */
const MENU = [
  [
    ['', 'Overview'],
    ['/new-push', 'New push'],
    ['/sends', 'Sends'],
    ['/explain', 'Why did it not arrive?'],
  ],
  [
    ['/devices', 'Devices'],
    ['/topics', 'Topics and users'],
  ],
  [
    ['/queue', 'Queue'],
    ['/analytics', 'Analytics'],
  ],
  [
    ['/configuration', 'Configuration'],
    ['/actions', 'Action log'],
  ],
] as const

/** The path of a page in the menu. */
export type MenuPath = (typeof MENU)[number][number][0]

interface PageProps {
  ui: Ui
  title: string
  /** The page of the menu that this page belongs to. */
  at: MenuPath | undefined
  /** The path of the events that keep parts of the page up to date; see assets/admin.js. */
  live?: string | undefined
  children?: Child
}

/** A page behind the login, with the menu. */
export function Page({ ui, title, at, live, children }: PageProps) {
  return (
    <Html ui={ui} title={title} live={live}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <Brand ui={ui} />
        <button type="button" class="quiet menu-button" popovertarget="sidebar">
          Menu
        </button>
        <div class="sidebar" id="sidebar" popover="auto">
          <Menu ui={ui} at={at} />
          <div class="session">
            <ThemeForm ui={ui} />
            <p>
              {ui.role === 'viewer' ? 'Viewer: changes nothing' : 'Administrator'}
              {ui.person !== '' && <span class="person">{ui.person}</span>}
            </p>
            <form method="post" action={ui.link('/logout')}>
              <button type="submit" class="quiet">
                Log out
              </button>
            </form>
          </div>
        </div>
      </header>
      <main id="main">
        <div class="title">
          <h1>{title}</h1>
          {live !== undefined && (
            <p class="live-state" data-live-state>
              <button type="button" class="quiet" hidden data-live-pause>
                Pause updates
              </button>
              <noscript>This page does not update without JavaScript. Load it again.</noscript>
            </p>
          )}
        </div>
        {ui.notice && (
          <p class={ui.notice.isError ? 'notice error' : 'notice good'} role="status">
            {ui.notice.text}
          </p>
        )}
        {children}
      </main>
    </Html>
  )
}

function Menu({ ui, at }: { ui: Ui; at: MenuPath | undefined }) {
  return (
    <nav class="menu" aria-label="Pages of the web UI">
      {MENU.map((group) => (
        <ul>
          {group
            .filter(([path]) => path !== '/new-push' || ui.role === 'admin')
            .map(([path, text]) => (
              <li>
                <a href={ui.link(path)} aria-current={path === at ? 'page' : undefined}>
                  {text}
                </a>
              </li>
            ))}
        </ul>
      ))}
    </nav>
  )
}

function Brand({ ui }: { ui: Ui }) {
  return (
    <a class="brand" href={ui.link('')}>
      <img src={ui.link('/assets/icon.svg')} alt="" width="26" height="26" />
      centripush
    </a>
  )
}

interface BareProps {
  ui: Ui
  title: string
  /** The path of the page that follows at once. */
  continuesAt?: string
  children?: Child
}

/** A page without the menu. */
export function BarePage({ ui, title, continuesAt, children }: BareProps) {
  return (
    <Html ui={ui} title={title} continuesAt={continuesAt} isBare>
      <main id="main" class="bare">
        <Brand ui={ui} />
        <h1>{title}</h1>
        {children}
      </main>
    </Html>
  )
}

interface HtmlProps extends Omit<PageProps, 'at'> {
  continuesAt?: string | undefined
  isBare?: boolean
}

function Html({ ui, title, live, continuesAt, isBare, children }: HtmlProps) {
  return (
    <html lang="en" data-theme={ui.theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {continuesAt !== undefined && <meta http-equiv="refresh" content={`0;url=${continuesAt}`} />}
        <title>{`${title} · centripush`}</title>
        <link rel="icon" href={ui.link('/assets/icon.svg')} />
        <link rel="stylesheet" href={ui.link('/assets/admin.css')} />
        <script type="module" src={ui.link('/assets/admin.js')} />
      </head>
      <body data-live={live} class={isBare ? undefined : 'framed'}>
        {children}
      </body>
    </html>
  )
}

/** Three buttons, so that the theme also changes without a script. */
function ThemeForm({ ui }: { ui: Ui }) {
  return (
    <form method="post" action={ui.link('/theme')} class="themes">
      <fieldset>
        <legend class="hidden">Colors</legend>
        <input type="hidden" name="here" value={ui.here} />
        {THEMES.map((theme) => (
          <button type="submit" name="theme" value={theme} aria-pressed={theme === ui.theme ? 'true' : 'false'}>
            {theme}
          </button>
        ))}
      </fieldset>
    </form>
  )
}
