import type { Child } from 'hono/jsx'
import type { Ui } from './ui.ts'

interface InputProps {
  label: string
  name: string
  /** Differs from `name` if a page has several fields of this name. */
  id?: string
  value?: string | undefined
  type?: 'text' | 'search' | 'password' | 'number' | 'datetime-local' | 'time'
  hint?: string
  placeholder?: string
  isRequired?: boolean
  autocomplete?: 'off' | 'current-password'
}

/** A field of one line, with its label. */
export function Input({ label, name, id = name, value = '', type = 'text', hint, placeholder, ...rest }: InputProps) {
  const hintId = `${id}-hint`
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type={type}
        value={value}
        placeholder={placeholder}
        required={rest.isRequired}
        autocomplete={rest.autocomplete ?? 'off'}
        aria-describedby={hint === undefined ? undefined : hintId}
      />
      {hint !== undefined && (
        <small id={hintId} class="hint">
          {hint}
        </small>
      )}
    </p>
  )
}

interface TextAreaProps {
  label: string
  name: string
  /** Differs from `name` if a page has several fields of this name. */
  id?: string
  value?: string | undefined
  rows?: number
  hint?: string
  isCode?: boolean
}

/** A field of several lines, with its label. */
export function TextArea({ label, name, id = name, value = '', rows = 4, hint, isCode }: TextAreaProps) {
  const hintId = `${id}-hint`
  return (
    <p class="field wide">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        name={name}
        rows={rows}
        class={isCode ? 'code' : ''}
        spellcheck={!isCode}
        aria-describedby={hint === undefined ? undefined : hintId}
      >
        {value}
      </textarea>
      {hint !== undefined && (
        <small id={hintId} class="hint">
          {hint}
        </small>
      )}
    </p>
  )
}

interface SelectProps {
  label: string
  name: string
  /** Differs from `name` if a page has several fields of this name. */
  id?: string
  value: string
  /** Values with their texts. */
  options: readonly (readonly [value: string, text: string])[]
}

/** A choice, with its label. */
export function Select({ label, name, id = name, value, options }: SelectProps) {
  return (
    <p class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name}>
        {options.map(([option, text]) => (
          <option value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
    </p>
  )
}

/** A filter: its fields are in the URL of the page. */
export function FilterForm({ action, reset, children }: { action: string; reset: string; children?: Child }) {
  return (
    <form method="get" action={action} class="filter">
      {children}
      <p class="buttons">
        <button type="submit">Show</button>
        <a href={reset}>Clear</a>
      </p>
    </form>
  )
}

interface ActionProps {
  ui: Ui
  /** The path that the form posts to. */
  path: string
  /** The text of the button that opens the form. */
  title: string
  /** The text of the button that acts. */
  button: string
  isDangerous?: boolean
  /** Hidden fields. */
  values?: Readonly<Record<string, string | undefined>>
  /** What will happen, and the fields of the form. */
  children?: Child
}

/** A change that is confirmed by a second button. Viewers do not see it. */
export function ActionForm({ ui, path, title, button, isDangerous, values = {}, children }: ActionProps) {
  if (ui.role !== 'admin') return null
  return (
    <details class="action">
      <summary class={isDangerous ? 'danger' : ''}>{title}</summary>
      <form method="post" action={ui.link(path)}>
        {Object.entries(values).map(
          ([name, value]) => value !== undefined && value !== '' && <input type="hidden" name={name} value={value} />,
        )}
        {children}
        <p class="buttons">
          <button type="submit" class={isDangerous ? 'danger' : ''}>
            {button}
          </button>
        </p>
      </form>
    </details>
  )
}
