import { Hono } from 'hono'
import type { Device } from '../../devices/device.ts'
import { parseDeviceFilter } from '../../devices/device-filter.ts'
import { checkUser } from '../../devices/field-checks.ts'
import type { ListPage } from '../../devices/list-page.ts'
import type { UserTopic } from '../../devices/list-user-topics.ts'
import { parseTopicFilter } from '../../devices/topic-filter.ts'
import { parseTopicOperation } from '../../devices/topic-operation.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import { need, type PageDeps } from '../admin-sources.ts'
import { deviceColumns } from '../devices/device-list-page.tsx'
import { answerPage } from '../layout/answer-page.ts'
import { ActionForm, FilterForm, Input, Select, TextArea } from '../layout/form.tsx'
import { countOf } from '../layout/format.tsx'
import { Page } from '../layout/page.tsx'
import { Pager, Table } from '../layout/table.tsx'
import { makeLink, readUi, type Ui } from '../layout/ui.ts'
import { readForm } from '../read-form.ts'

const PAGE_ROWS = 100

/** The page of topics: the devices of a topic, and the topics of a user. */
export function makeTopicRoutes({ base, sources, actions }: PageDeps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()

  routes.get('/topics', async (context) => {
    const devices = need(sources.devices)
    const text = (name: string) => context.req.query(name)?.trim() ?? ''
    const [topic, user] = [text('topic'), text('user')]
    const cursor = context.req.query('cursor') ?? ''
    const [ofTopic, ofUser] = await Promise.all([
      topic === ''
        ? undefined
        : devices.list({
            filter: parseDeviceFilter({ ids: [], users: [], topics: [topic], providers: [], platforms: [] }),
            include: { topics: false, meta: false, webPushKeys: false },
            includeTotalCount: context.req.query('total') === '1',
            cursor,
            limit: PAGE_ROWS,
          }),
      topic !== ''
        ? undefined
        : devices.listUserTopics({
            users: user === '' ? [] : [checkUser('user', user)],
            topics: parseTopicFilter(undefined),
            includeTotalCount: false,
            cursor,
            limit: PAGE_ROWS,
          }),
    ])
    const props = { ui: readUi(context, base), topic, user, isFirst: cursor === '', ofTopic, ofUser }
    return answerPage(context, <TopicPage {...props} />)
  })

  routes.post('/topics/user', async (context) => {
    const form = await readForm(context)
    const user = checkUser('user', form.text('user'))
    const operation = parseTopicOperation({ op: form.text('op'), topics: form.list('topics') })
    const action = { action: `${operation.op} topics of user`, target: user, detail: operation.topics.join(', ') }
    await actions.run(context.get('actor'), action, () => need(sources.devices).updateUserTopics(user, operation))
    return context.redirect(makeLink(base, '/topics', { user, notice: 'topics' }), 303)
  })

  return routes
}

interface TopicProps {
  ui: Ui
  topic: string
  user: string
  isFirst: boolean
  ofTopic: ListPage<Device> | undefined
  ofUser: ListPage<UserTopic> | undefined
}

function TopicPage({ ui, topic, user, isFirst, ofTopic, ofUser }: TopicProps) {
  const query = { topic, user: topic === '' ? user : '' }
  const next = (ofTopic ?? ofUser)?.nextCursor
  return (
    <Page ui={ui} title="Topics and users" at="/topics">
      <FilterForm action={ui.link('/topics')} reset={ui.link('/topics')}>
        <Input label="Devices of the topic" name="topic" type="search" value={topic} />
        <Input label="Topics of the user" name="user" type="search" value={topic === '' ? user : ''} />
      </FilterForm>
      {ofTopic && <DevicesOfTopic ui={ui} topic={topic} page={ofTopic} />}
      {ofUser && <TopicsOfUsers ui={ui} user={user} page={ofUser} />}
      <Pager
        first={isFirst ? undefined : ui.link('/topics', query)}
        next={next === undefined ? undefined : ui.link('/topics', { ...query, cursor: next })}
      />
      <div class="actions">
        <ActionForm ui={ui} path="/topics/user" title="Change topics of a user…" button="Change topics">
          <p>The user’s devices, and those that register later, get the topics or lose them.</p>
          <Input label="User" name="user" id="change-user" value={user} isRequired />
          <Select
            label="Change"
            name="op"
            value="add"
            options={[
              ['add', 'add these topics'],
              ['remove', 'remove these topics'],
              ['set', 'these topics and no others'],
            ]}
          />
          <TextArea label="Topics" name="topics" hint="One on each line." />
        </ActionForm>
      </div>
    </Page>
  )
}

function DevicesOfTopic({ ui, topic, page }: { ui: Ui; topic: string; page: ListPage<Device> }) {
  return (
    <>
      <p class="links">
        {page.totalCount === undefined ? (
          <a href={ui.link('/topics', { topic, total: 1 })}>Count the devices</a>
        ) : (
          <strong>{`Followed by ${countOf(page.totalCount, 'device')}`}</strong>
        )}
        {ui.role === 'admin' && <a href={ui.link('/new-push', { topic })}>Push to this topic</a>}
      </p>
      <Table
        caption={`Devices that follow ${topic}`}
        columns={deviceColumns(ui)}
        rows={page.items}
        empty="No device follows this topic. Names are compared exactly, with upper and lower case."
      />
    </>
  )
}

function TopicsOfUsers({ ui, user, page }: { ui: Ui; user: string; page: ListPage<UserTopic> }) {
  return (
    <Table
      caption="Topics of users"
      columns={[
        {
          title: 'User',
          cell: (row) =>
            row.user === '' ? 'everyone' : <a href={ui.link('/devices', { user: row.user })}>{row.user}</a>,
        },
        { title: 'Topic', cell: ({ topic }) => <a href={ui.link('/topics', { topic })}>{topic}</a> },
      ]}
      rows={page.items}
      empty={
        user === ''
          ? 'No user follows a topic yet. Topics of users are set by the API method user_topic_update; topics of single devices are on the pages of the devices.'
          : 'This user follows no topic.'
      }
    />
  )
}
