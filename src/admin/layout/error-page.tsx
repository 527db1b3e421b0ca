import { BarePage, Page } from './page.tsx'
import type { Ui } from './ui.ts'

/** Says why a page is not shown. */
export function ErrorPage({ ui, title, why }: { ui: Ui; title: string; why: string }) {
  if (ui.role === undefined) {
    return (
      <BarePage ui={ui} title={title}>
        <p class="notice error">{why}</p>
      </BarePage>
    )
  }
  return (
    <Page ui={ui} title={title} at={undefined}>
      <p class="notice error">{why}</p>
      <p>
        <a href={ui.link('')}>Back to the overview</a>
      </p>
    </Page>
  )
}
