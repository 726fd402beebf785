import { APP_ID, PANEL_ID } from '../routes'

declare let __webpack_public_path__: string

/** The lazy chunks of a nested plugin are in the app's folder. This module must be imported first. */
__webpack_public_path__ = __webpack_public_path__.replace(new RegExp(`/${PANEL_ID}/$`), `/${APP_ID}/`)
