import { APP_ID, PANEL_ID } from '../routes'

declare let __webpack_public_path__: string

/** The lazy parts of a nested plugin lie in the app's folder, not in one of its own. Imported before anything else. */
__webpack_public_path__ = __webpack_public_path__.replace(new RegExp(`/${PANEL_ID}/$`), `/${APP_ID}/`)
