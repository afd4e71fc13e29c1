// Shows `/board.json` as Grafana would, with the time, theme and variables that the address names.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { EventBusSrv, LoadingState, PanelData, createTheme } from '@grafana/data';
import { GlobalStyles, PortalContainer, ThemeContext } from '@grafana/ui';
import * as runtime from '@grafana/runtime';
import { initPluginTranslations } from '@grafana/i18n';
import { Router } from 'react-router-dom';
import { catchError, map, of } from 'rxjs';
import { plugins } from './panels';
import { PrometheusSource } from './prometheus';
import { fillRegistries } from './registries';
import { panelStates, scene } from './scene';

const address = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: address.get('theme') === 'light' ? 'light' : 'dark' } });

function bootServices(): void {
  Object.assign(runtime.config, { theme2: theme, theme: theme.v1, featureToggles: {}, buildInfo: { version: '13.2.2' } });
  const logos = { small: '', large: '' };
  const info = { logos, links: [], screenshots: [], author: { name: '' }, description: '', updated: '', version: '' };
  const meta: any = { id: 'prometheus', name: 'Prometheus', type: 'datasource', info, module: '', baseUrl: '' };
  const source: any = Object.assign(new PrometheusSource('prometheus', 'prometheus'), { name: 'Prometheus', type: 'prometheus', meta });
  const settings: any = { uid: 'prometheus', name: 'Prometheus', type: 'prometheus', meta, isDefault: true, access: 'proxy', jsonData: {}, readOnly: true, id: 1 };
  runtime.setDataSourceSrv({ get: async () => source, getList: () => [settings], getInstanceSettings: () => settings, reload() {}, registerRuntimeDataSource() {} } as any);
  runtime.setBackendSrv({ fetch: () => of({ data: {} }), get: async () => ({}), post: async () => ({}) } as any);
  runtime.setAppEvents(new EventBusSrv() as any);
  runtime.setEchoSrv({ addEvent() {}, flush() {}, addBackend() {} } as any);
  runtime.setTemplateSrv({ replace: (text: string) => text ?? '', getVariables: () => [], containsTemplate: () => false, updateTimeRange() {} } as any);
  (runtime as any).setPluginImportUtils({
    importPanelPlugin: async (id: string) => plugins[id] ?? Promise.reject(new Error(`no panel of kind ${id}`)),
    getPanelPluginFromCache: (id: string) => plugins[id],
  });
  runtime.setRunRequest(((target: any, request: any) =>
    target.query(request).pipe(
      map((answer: any): PanelData => ({ state: answer.state, series: answer.data, errors: answer.errors, error: answer.errors?.[0], timeRange: request.range, request })),
      catchError((error: any) => of({ state: LoadingState.Error, series: [], error: { message: error.message }, timeRange: request.range, request } as PanelData))
    )) as any);
}

async function show(): Promise<void> {
  fillRegistries();
  bootServices();
  await initPluginTranslations('grafana-scenes');
  const board = await (await fetch('/board.json')).json();
  const root = scene(board, address);
  Object.assign(window, { panelStates: () => panelStates(root) });
  document.body.style.background = theme.colors.background.canvas;
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Router navigator={runtime.locationService.getHistory() as any} location={runtime.locationService.getLocation() as any}>
        <runtime.LocationServiceProvider service={runtime.locationService}>
          <div style={{ padding: 8 }}>
            <h3 style={{ margin: '4px 8px' }}>{board.title}</h3>
            <root.Component model={root} />
          </div>
        </runtime.LocationServiceProvider>
      </Router>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

show();
