import { useSignal } from "@preact/signals";
import type { ClientRecord } from "@tributary/protocol";
import { useMemo } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { ago, count, shortId } from "../format.ts";
import { useNow, useResource } from "../use-resource.ts";
import { words } from "../words.ts";
import { CommandButton } from "./command-button.tsx";
import { Confirm, type Question } from "./confirm.tsx";
import { Pending } from "./pending.tsx";
import { Moment, Unknown } from "./value.tsx";
import { type Column, VirtualTable } from "./virtual-table.tsx";

const text = words.clientTable;

/** What a column is sorted by. */
const orders = {
  name: (client: ClientRecord) => client.name.toLowerCase(),
  engine: ({ engine }: ClientRecord) => engine,
  answered: ({ asked, answered }: ClientRecord) => (asked === 0 ? -1 : answered / asked),
  contributions: ({ contributions }: ClientRecord) => contributions,
  seen: ({ connected, lastSeenAt }: ClientRecord) => (connected ? Number.MAX_SAFE_INTEGER : lastSeenAt),
} as const;
type Order = keyof typeof orders;

/** Clients, found, sorted and revoked. */
export function ClientTable(props: {
  label: string;
  /** The REST resource that lists them. */
  path: string;
  dashboard: Dashboard;
  none: string;
}) {
  const { label, path, dashboard, none } = props;
  const clients = useResource<ClientRecord[]>(dashboard, path);
  const wanted = useSignal("");
  const onlyConnected = useSignal(false);
  const order = useSignal<{ by: Order; isDown: boolean }>({ by: "name", isDown: false });
  const asked = useSignal<Question | undefined>(undefined);
  const now = useNow(30_000);
  const { by, isDown } = order.value;
  const [query, connected] = [wanted.value.toLowerCase(), onlyConnected.value];
  const rows = useMemo(() => {
    const fits = (client: ClientRecord) =>
      (!connected || client.connected) &&
      [client.name, client.client, client.engine, text.able(client.capabilities), ...client.tags].some((part) =>
        part.toLowerCase().includes(query),
      );
    return clients?.filter(fits).sort(comparing(orders[by], isDown));
  }, [clients, query, connected, by, isDown]);
  const sortBy = (name: Order) => ({
    isSorted: by === name ? (isDown ? ("descending" as const) : ("ascending" as const)) : undefined,
    onSort: () => {
      order.value = { by: name, isDown: by === name ? !isDown : name !== "name" && name !== "engine" };
    },
  });
  const revoke = (client: ClientRecord) => {
    const { consequence, yes } = text;
    asked.value = {
      question: text.revoking(client.name),
      consequence,
      yes,
      onYes: () => void dashboard.revoke(client.client),
    };
  };
  const columns: Column<ClientRecord>[] = [
    {
      heading: text.name,
      sort: sortBy("name"),
      cell: ({ name, client }) => (
        <span title={client}>
          {name} <small class="soft">{shortId(client)}</small>
        </span>
      ),
    },
    { heading: text.state, cell: (client) => <State client={client} /> },
    { heading: text.engine, sort: sortBy("engine"), cell: ({ engine }) => engine },
    {
      heading: text.capabilities,
      cell: ({ capabilities }) => text.able(capabilities) || <Unknown why={words.unknown.capabilities} />,
    },
    { heading: text.tags, cell: ({ tags }) => tags.join(", ") || <Unknown why={words.unknown.tags} /> },
    {
      heading: text.answered,
      sort: sortBy("answered"),
      cell: (client) => <Reliability client={client} />,
    },
    {
      heading: text.contributions,
      sort: sortBy("contributions"),
      cell: ({ contributions }) => count(contributions),
    },
    {
      heading: text.seen,
      sort: sortBy("seen"),
      cell: (client) => (
        <Moment at={client.lastSeenAt}>{client.connected ? text.now : ago(client.lastSeenAt, now)}</Moment>
      ),
    },
    {
      heading: text.act,
      cell: (client) =>
        client.revoked ? (
          <Unknown why={words.unknown.revoked} />
        ) : (
          <CommandButton
            class="inline"
            label={text.revokeNamed(client.name)}
            isHeld={dashboard.underWay.value.has(client.client)}
            onPress={() => revoke(client)}
          >
            {dashboard.underWay.value.has(client.client) ? text.revokingNow : text.revoke}
          </CommandButton>
        ),
    },
  ];
  return (
    <>
      <div class="row filters">
        <input
          class="find"
          type="search"
          aria-label={text.find}
          placeholder={text.find}
          value={wanted.value}
          onInput={(event) => {
            wanted.value = event.currentTarget.value;
          }}
        />
        <label class="chip">
          <input
            type="checkbox"
            checked={onlyConnected.value}
            onChange={(event) => {
              onlyConnected.value = event.currentTarget.checked;
            }}
          />
          {text.only}
        </label>
      </div>
      <VirtualTable
        label={label}
        rows={rows}
        keyOf={({ client }) => client}
        columns={columns}
        none={clients?.length === 0 ? none : text.noneFits}
        pending={<Pending dashboard={dashboard} path={path} />}
      />
      <Confirm asked={asked.value} onClose={() => (asked.value = undefined)} />
    </>
  );
}

function State({ client }: { client: ClientRecord }) {
  const state = client.revoked ? "revoked" : client.connected ? "connected" : "away";
  return <span class={`badge ${state}`}>{text[state]}</span>;
}

function Reliability({ client: { asked, answered } }: { client: ClientRecord }) {
  if (asked === 0) return <Unknown why={words.unknown.neverAsked} />;
  return (
    <span class="reliability" title={text.answeredTitle}>
      <meter min={0} max={asked} value={answered} aria-hidden="true" />
      {count(answered)} {words.of} {count(asked)}
    </span>
  );
}

function comparing<Row>(of: (row: Row) => string | number, isDown: boolean): (a: Row, b: Row) => number {
  const sign = isDown ? -1 : 1;
  return (a, b) => {
    const [left, right] = [of(a), of(b)];
    return left < right ? -sign : left > right ? sign : 0;
  };
}
