// A board's JSON as a scene: the framework that Grafana itself lays dashboards out with.
import * as scenes from '@grafana/scenes';

const SOURCE = { uid: 'prometheus', type: 'prometheus' };

/** Variables as the board defines them, set to what the address says (`var-model=...`). */
function variables(board: any, address: URLSearchParams): scenes.SceneVariable[] {
  return board.templating.list.map((variable: any) => {
    if (variable.type === 'datasource') {
      return new scenes.DataSourceVariable({ name: variable.name, label: variable.label, pluginId: variable.query, value: 'prometheus', text: 'Prometheus' });
    }
    const chosen = address.getAll(`var-${variable.name}`);
    return new scenes.QueryVariable({
      name: variable.name,
      label: variable.label,
      isMulti: variable.multi,
      includeAll: variable.includeAll,
      allValue: variable.allValue,
      value: chosen.length ? chosen : '$__all',
      text: chosen.length ? chosen : 'All',
      datasource: SOURCE,
      query: variable.query,
      sort: variable.sort,
      refresh: variable.refresh,
    });
  });
}

function panel(definition: any): scenes.SceneGridItem {
  const queries = new scenes.SceneQueryRunner({
    datasource: SOURCE,
    queries: definition.targets.map((target: any) => ({ ...target, datasource: undefined })),
    maxDataPoints: definition.maxDataPoints,
    minInterval: definition.interval,
  });
  const { x, y, w, h } = definition.gridPos;
  const since = definition.timeFrom;
  return new scenes.SceneGridItem({
    x,
    y,
    width: w,
    height: h,
    body: new scenes.VizPanel({
      key: `panel-${definition.id}`,
      pluginId: definition.type,
      title: definition.title,
      description: definition.description,
      options: definition.options ?? {},
      fieldConfig: definition.fieldConfig,
      $timeRange: since ? new scenes.SceneTimeRange({ from: since, to: 'now', timeZone: 'utc', weekStart: 'monday' }) : undefined,
      $data: new scenes.SceneDataTransformer({ $data: queries, transformations: definition.transformations ?? [] }),
    }),
  });
}

/** Rows hold the panels that follow them; folded ones are unfolded, so that nothing is left unseen. */
function grid(board: any): scenes.SceneGridRow[] {
  const rows: scenes.SceneGridRow[] = [];
  let lowered = 0;
  for (const definition of board.panels) {
    const lower = (one: any) => panel({ ...one, gridPos: { ...one.gridPos, y: one.gridPos.y + lowered } });
    if (definition.type !== 'row') {
      const row = rows[rows.length - 1];
      row.setState({ children: [...row.state.children, lower(definition)] });
      continue;
    }
    rows.push(
      new scenes.SceneGridRow({ title: definition.title, y: definition.gridPos.y + lowered, isCollapsed: false, children: definition.panels.map(lower) })
    );
    lowered += Math.max(0, ...definition.panels.map((one: any) => one.gridPos.y + one.gridPos.h - definition.gridPos.y - 1));
  }
  return rows;
}

export function scene(board: any, address: URLSearchParams): scenes.EmbeddedScene {
  return new scenes.EmbeddedScene({
    $timeRange: new scenes.SceneTimeRange({
      from: address.get('from') ?? board.time.from,
      to: address.get('to') ?? board.time.to,
      timeZone: 'utc',
      weekStart: board.weekStart,
    }),
    $variables: new scenes.SceneVariableSet({ variables: variables(board, address) }),
    controls: [new scenes.VariableValueSelectors({}), new scenes.SceneControlsSpacer(), new scenes.SceneTimePicker({}), new scenes.SceneRefreshPicker({})],
    body: new scenes.SceneGridLayout({ isLazy: false, children: grid(board) }),
  });
}

export interface PanelState {
  title: string;
  type: string;
  state: string;
  error?: string;
  series: number;
  /** Where the links of its first values lead. */
  links: string[];
}

/** What became of each panel, for a test to judge. */
export function panelStates(root: scenes.EmbeddedScene): PanelState[] {
  return scenes.sceneGraph
    .findAllObjects(root, (one) => one instanceof scenes.VizPanel)
    .map((one) => {
      const { title, pluginId, $data, _pluginLoadError } = (one as scenes.VizPanel).state;
      const data = ($data?.state as any)?.data;
      return {
        title,
        type: pluginId,
        state: data?.state,
        error: data?.error?.message ?? data?.errors?.[0]?.message ?? _pluginLoadError,
        series: (data?.series ?? []).filter((frame: any) => frame.length > 0).length,
        links: linksOf(one as scenes.VizPanel),
      };
    });
}

function linksOf(one: scenes.VizPanel): string[] {
  const data = one.state.$data?.state as any;
  const frames = one.applyFieldConfig(data?.data).series;
  return frames.flatMap((frame: any) =>
    frame.fields.filter((field: any) => field.type !== 'time').flatMap((field: any) => (field.getLinks?.({ valueRowIndex: 0 }) ?? []).map((link: any) => link.href))
  );
}
