// Prometheus' HTTP API as Grafana's data frames: what its data source does on the server, for the queries of our boards.
import {
  DataFrame,
  DataQueryRequest,
  DataQueryResponse,
  FieldType,
  LoadingState,
  ScopedVars,
  createDataFrame,
  rangeUtil,
} from '@grafana/data';
import { RuntimeDataSource, sceneGraph } from '@grafana/scenes';
import { Observable, from } from 'rxjs';

const API = `${location.origin}/prometheus/api/v1`;
const SCRAPE_SECONDS = 15;

type Labels = Record<string, string>;
type Sample = [number, string];
type Result = { metric: Labels; value: Sample; values: Sample[] };

async function ask(path: string, form: Record<string, string>): Promise<Result[]> {
  const answer = await fetch(`${API}/${path}`, { method: 'POST', body: new URLSearchParams(form) });
  const body = await answer.json();
  if (body.status !== 'success') {
    throw new Error(body.error);
  }
  return body.data.resultType === 'scalar' ? [{ metric: {}, value: body.data.result, values: [] }] : body.data.result;
}

const number = (text: string) => (text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text));
const escaped = (text: string) => text.replace(/[\\^$*+?.()|[\]{}]/g, '\\\\$&');
const asRegex = (value: unknown) =>
  Array.isArray(value) ? (value.length === 1 ? escaped(value[0]) : `(${value.map(escaped).join('|')})`) : escaped(String(value));

/** `{{label}}` in a legend is the label's value. */
const named = (legend: string, labels: Labels) => legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] ?? '');

function sceneOf(variables: ScopedVars | undefined): any {
  const scene: any = (variables as any)?.__sceneObject?.value;
  return scene?.valueOf?.() ?? scene;
}

export class PrometheusSource extends RuntimeDataSource<any> {
  query(request: DataQueryRequest<any>): Observable<DataQueryResponse> {
    return from(this.answer(request));
  }

  private async answer(request: DataQueryRequest<any>): Promise<DataQueryResponse> {
    const data: DataFrame[] = [];
    const errors: any[] = [];
    for (const target of request.targets.filter((one: any) => !one.hide && one.expr)) {
      try {
        data.push(...(await this.frames(target, request)));
      } catch (error: any) {
        errors.push({ message: error.message, refId: target.refId });
      }
    }
    return { data, errors: errors.length ? errors : undefined, state: errors.length ? LoadingState.Error : LoadingState.Done } as any;
  }

  private async frames(target: any, request: DataQueryRequest<any>): Promise<DataFrame[]> {
    const [start, end] = [request.range.from.valueOf() / 1000, request.range.to.valueOf() / 1000];
    const finest = request.interval && target.interval ? rangeUtil.intervalToSeconds(target.interval) : 0;
    const step = Math.max(Math.ceil((request.intervalMs ?? 15000) / 1000), finest, SCRAPE_SECONDS);
    const expr = this.filled(target.expr, request.scopedVars, step, Math.max(1, Math.round(end - start)));
    const about = { refId: target.refId, meta: { executedQueryString: expr } };
    if (!target.instant) {
      // Grafana aligns a range to its step.
      const [first, last] = [Math.floor(start / step) * step, Math.floor(end / step) * step];
      const results = await ask('query_range', { query: expr, start: `${first}`, end: `${last}`, step: `${step}` });
      return results.map((result) => this.line(about, target.legendFormat, result, first, last, step));
    }
    const results = await ask('query', { query: expr, time: `${end}` });
    if (target.format === 'table') {
      return [this.table(about, results, request.targets.length > 1)];
    }
    return results.map((result) =>
      createDataFrame({
        ...about,
        fields: [
          { name: 'Time', type: FieldType.time, values: [result.value[0] * 1000] },
          {
            name: 'Value',
            type: FieldType.number,
            labels: result.metric,
            config: { displayNameFromDS: named(target.legendFormat, result.metric) },
            values: [number(result.value[1])],
          },
        ],
      })
    );
  }

  private line(about: object, legend: string, result: Result, first: number, last: number, step: number): DataFrame {
    const known = new Map(result.values.map(([at, value]) => [at, number(value)]));
    const moments = Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, place) => first + place * step);
    return createDataFrame({
      ...about,
      fields: [
        { name: 'Time', type: FieldType.time, values: moments.map((at) => at * 1000), config: { interval: step * 1000 } },
        {
          name: 'Value',
          type: FieldType.number,
          labels: result.metric,
          config: { displayNameFromDS: named(legend, result.metric) },
          values: moments.map((at) => known.get(at) ?? null),
        },
      ],
    });
  }

  private table(about: { refId: string }, results: Result[], oneOfSeveral: boolean): DataFrame {
    const labels = [...new Set(results.flatMap((result) => Object.keys(result.metric)))].sort();
    return createDataFrame({
      ...about,
      fields: [
        { name: 'Time', type: FieldType.time, values: results.map((result) => result.value[0] * 1000) },
        ...labels.map((label) => ({
          name: label,
          type: FieldType.string,
          config: { filterable: true },
          values: results.map((result) => result.metric[label] ?? ''),
        })),
        {
          name: oneOfSeveral ? `Value #${about.refId}` : 'Value',
          type: FieldType.number,
          values: results.map((result) => number(result.value[1])),
        },
      ],
    });
  }

  private filled(expr: string, variables: ScopedVars, step: number, range: number): string {
    const macros: Record<string, string> = {
      __interval: `${step}s`,
      __range: `${range}s`,
      __range_s: `${range}`,
      __range_ms: `${range * 1000}`,
    };
    const counted = expr.replace(/\$\{?(__interval|__range_ms|__range_s|__range)\b\}?/g, (_, macro) => macros[macro]);
    return sceneGraph.interpolate(sceneOf(variables), counted, variables, asRegex);
  }

  /** The values of a variable; only `label_values(selector, label)` is asked by our boards. */
  async metricFindQuery(query: any, options: any) {
    const text: string = typeof query === 'string' ? query : query.query;
    const parts = text.match(/^label_values\((.+),\s*([a-zA-Z_]\w*)\)$/s);
    if (!parts) {
      throw new Error(`not a variable query of ours: ${text}`);
    }
    const selector = sceneGraph.interpolate(sceneOf(options?.scopedVars), parts[1], {}, asRegex);
    const range = options?.range;
    const span = range ? { start: `${range.from.valueOf() / 1000}`, end: `${range.to.valueOf() / 1000}` } : {};
    const answer = await fetch(`${API}/label/${parts[2]}/values?${new URLSearchParams({ 'match[]': selector, ...span } as any)}`);
    const body = await answer.json();
    if (body.status !== 'success') {
      throw new Error(body.error);
    }
    return body.data.map((value: string) => ({ text: value }));
  }

  async testDatasource() {
    return { status: 'success', message: 'OK' };
  }
}
