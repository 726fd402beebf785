import { APP_ID, DATASOURCE_ID, PANEL_ID } from './routes'

declare let __webpack_public_path__: string

/** The lazy chunks of a nested plugin are in the app's folder. The module of a nested plugin imports this first. */
__webpack_public_path__ = __webpack_public_path__.replace(
  new RegExp(`/(${PANEL_ID}|${DATASOURCE_ID})/$`),
  `/${APP_ID}/`,
)
