// The four kinds of panels that our boards use, as thin shells around the components that Grafana draws them with.
import React from 'react';
import * as grafana from '@grafana/data';
import {
  FieldConfigProperty,
  FieldDisplay,
  FieldType,
  PanelPlugin,
  PanelProps,
  VizOrientation,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  identityOverrideProcessor,
} from '@grafana/data';
import { BarGauge, BigValue, DataLinksContextMenu, TimeSeries, VizRepeater, useTheme2 } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';

type Props = PanelProps<any>;

function Nothing({ height, fieldConfig }: Props) {
  return (
    <div data-empty style={{ display: 'grid', placeItems: 'center', height }}>
      {fieldConfig?.defaults?.noValue ?? 'No data'}
    </div>
  );
}

const isDrawable = (frame: grafana.DataFrame) =>
  frame.fields.some((field) => field.type === FieldType.number) && frame.fields.some((field) => field.type === FieldType.time);

/** Grafana draws no infinite value; its own preparation of frames is not in its packages. */
const finite = (frame: grafana.DataFrame): grafana.DataFrame => ({
  ...frame,
  fields: frame.fields.map((field) =>
    field.type === FieldType.number
      ? { ...field, values: Array.from(field.values as any, (value: any) => (Number.isFinite(value) ? value : null)) }
      : field
  ),
});

function Chart(props: Props) {
  const frames = React.useMemo(() => props.data.series.filter(isDrawable).map(finite), [props.data.series]);
  if (!frames.length) {
    return <Nothing {...props} />;
  }
  return (
    <TimeSeries
      frames={frames}
      structureRev={props.data.structureRev}
      timeRange={props.timeRange}
      timeZone={props.timeZone}
      width={props.width}
      height={props.height}
      legend={props.options.legend}
      options={props.options}
    >
      {() => null}
    </TimeSeries>
  );
}

function useValues(props: Props): FieldDisplay[] {
  const theme = useTheme2();
  return getFieldDisplayValues({
    fieldConfig: props.fieldConfig,
    reduceOptions: props.options.reduceOptions,
    replaceVariables: props.replaceVariables,
    theme,
    data: props.data.series,
    sparkline: props.options.graphMode !== 'none',
    timeZone: props.timeZone,
  });
}

function Figure(props: Props) {
  const theme = useTheme2();
  const values = useValues(props);
  if (!props.data.series.length) {
    return <Nothing {...props} />;
  }
  return (
    <VizRepeater<FieldDisplay, any>
      getValues={() => values}
      getAlignmentFactors={(shown) => getDisplayValueAlignmentFactors(shown)}
      width={props.width}
      height={props.height}
      source={props.data}
      itemSpacing={3}
      autoGrid
      renderCounter={props.renderCounter}
      orientation={props.options.orientation ?? VizOrientation.Auto}
      renderValue={({ value, width, height, alignmentFactors, count }) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline as any}
          colorMode={props.options.colorMode}
          graphMode={props.options.graphMode}
          justifyMode={props.options.justifyMode ?? 'auto'}
          textMode={props.options.textMode ?? 'auto'}
          alignmentFactors={alignmentFactors}
          text={props.options.text}
          width={width}
          height={height}
          theme={theme}
        />
      )}
    />
  );
}

function Ranking(props: Props) {
  const theme = useTheme2();
  const values = useValues(props);
  if (!props.data.series.length) {
    return <Nothing {...props} />;
  }
  const bar = (value: FieldDisplay, rest: any, menu: any = {}) => (
    <BarGauge
      value={value.display}
      width={rest.width}
      height={rest.height}
      orientation={rest.orientation}
      field={value.field}
      text={props.options.text}
      display={value.view?.getFieldDisplayProcessor(value.colIndex!)}
      theme={theme}
      itemSpacing={8}
      displayMode={props.options.displayMode}
      alignmentFactors={rest.alignmentFactors}
      showUnfilled={props.options.showUnfilled}
      valueDisplayMode={props.options.valueMode}
      namePlacement={props.options.namePlacement}
      onClick={menu.openMenu}
      className={menu.targetClassName}
    />
  );
  return (
    <VizRepeater<FieldDisplay, any>
      getValues={() => values}
      getAlignmentFactors={(shown) => getDisplayValueAlignmentFactors(shown)}
      width={props.width}
      height={props.height}
      source={props.data}
      itemSpacing={8}
      renderCounter={props.renderCounter}
      orientation={props.options.orientation}
      minVizHeight={props.options.minVizHeight}
      maxVizHeight={props.options.maxVizHeight}
      renderValue={({ value, ...rest }) =>
        value.hasLinks && value.getLinks ? (
          <DataLinksContextMenu links={value.getLinks as any}>{(menu) => bar(value, rest, menu)}</DataLinksContextMenu>
        ) : (
          bar(value, rest)
        )
      }
    />
  );
}

function Table(props: Props) {
  grafana.cacheFieldDisplayNames(props.data.series); // else renamed columns are called `Value #A`
  const frame = props.data.series[0];
  if (!frame?.length) {
    return <Nothing {...props} />;
  }
  return (
    <TableNG
      data={frame}
      width={props.width}
      height={props.height}
      timeRange={props.timeRange}
      sortBy={props.options.sortBy}
      cellHeight={props.options.cellHeight}
      noHeader={props.options.showHeader === false}
      structureRev={props.data.structureRev}
      fieldConfig={props.fieldConfig}
      getActions={() => []}
      initialRowIndex={undefined}
      enableVirtualization={false}
    />
  );
}

// A panel's own field options and what they are where a board does not say; one that is not listed here is dropped.
const CHART_OPTIONS = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  lineStyle: undefined,
  fillOpacity: 0,
  gradientMode: 'none',
  showPoints: 'auto',
  pointSize: 5,
  stacking: { mode: 'none', group: 'A' },
  axisPlacement: 'auto',
  axisLabel: '',
  axisColorMode: 'text',
  axisSoftMin: undefined,
  axisSoftMax: undefined,
  axisBorderShow: false,
  axisCenteredZero: false,
  axisGridShow: undefined,
  axisWidth: undefined,
  scaleDistribution: { type: 'linear' },
  spanNulls: false,
  insertNulls: false,
  fillBelowTo: undefined,
  transform: undefined,
  barAlignment: 0,
  barWidthFactor: 0.6,
  barMaxWidth: undefined,
  thresholdsStyle: { mode: 'off' },
  hideFrom: { viz: false, tooltip: false, legend: false },
  lineColor: undefined,
  fillColor: undefined,
};
const CELL_OPTIONS = {
  align: 'auto',
  cellOptions: { type: 'auto' },
  inspect: false,
  filterable: undefined,
  width: undefined,
  minWidth: undefined,
  hidden: false,
  hideFrom: undefined,
  wrapHeaderText: undefined,
  wrapText: undefined,
};

function plugin(id: string, component: any, options: Record<string, unknown>, color: string): PanelPlugin {
  const made = new PanelPlugin(component).useFieldConfig({
    standardOptions: { [FieldConfigProperty.Color]: { settings: {}, defaultValue: { mode: color } } } as any,
    useCustomConfig: (builder: any) => {
      for (const [path, defaultValue] of Object.entries(options)) {
        builder.addCustomEditor({
          id: path,
          path,
          name: path,
          editor: () => null,
          override: () => null,
          process: identityOverrideProcessor,
          shouldApply: () => true,
          defaultValue,
        });
      }
    },
  });
  const logos = { small: '', large: '' };
  const info = { author: { name: '' }, description: '', links: [], logos, screenshots: [], updated: '', version: '' };
  (made as any).meta = { id, name: id, module: '', baseUrl: '', type: 'panel', sort: 0, info };
  return made;
}

export const plugins: Record<string, PanelPlugin> = {
  timeseries: plugin('timeseries', Chart, CHART_OPTIONS, 'palette-classic'),
  stat: plugin('stat', Figure, {}, 'thresholds'),
  bargauge: plugin('bargauge', Ranking, {}, 'thresholds'),
  table: plugin('table', Table, CELL_OPTIONS, 'thresholds'),
};
