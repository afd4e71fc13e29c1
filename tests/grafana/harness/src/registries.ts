// What Grafana's core registers when it boots, and its packages alone do not: field options and transformations.
import * as grafana from '@grafana/data';

const processors = grafana as any;
const option = (id: string, process: unknown, defaultValue?: unknown) => ({
  id,
  path: id,
  name: id,
  editor: () => null,
  override: () => null,
  process,
  shouldApply: () => true,
  settings: {},
  defaultValue,
});

const green_to_red = { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }, { value: 80, color: 'red' }] };

export function fillRegistries(): void {
  grafana.standardFieldConfigEditorRegistry.setInit(
    () =>
      [
        option('displayName', processors.displayNameOverrideProcessor ?? processors.stringOverrideProcessor),
        option('unit', processors.unitOverrideProcessor),
        option('min', processors.numberOverrideProcessor),
        option('max', processors.numberOverrideProcessor),
        option('fieldMinMax', processors.booleanOverrideProcessor),
        option('decimals', processors.numberOverrideProcessor),
        option('color', grafana.identityOverrideProcessor),
        option('noValue', processors.stringOverrideProcessor),
        option('links', processors.dataLinksOverrideProcessor),
        option('actions', grafana.identityOverrideProcessor),
        option('mappings', processors.valueMappingsOverrideProcessor, []),
        option('thresholds', processors.thresholdsOverrideProcessor, green_to_red),
        option('filterable', processors.booleanOverrideProcessor),
      ] as any
  );
  const byId = new Map(Object.values(grafana.standardTransformers).map((one: any) => [one.id, one]));
  grafana.standardTransformersRegistry.setInit(
    () =>
      [...byId.values()].map((one) => ({
        id: one.id,
        name: one.name,
        transformation: async () => one, // lazy since Grafana 13
        editor: () => null,
      })) as any
  );
}
