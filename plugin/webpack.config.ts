import CopyWebpackPlugin from 'copy-webpack-plugin'
import path from 'path'
import type { Configuration } from 'webpack'
import { merge } from 'webpack-merge'
import scaffold, { type Env } from './.config/webpack/webpack.config.ts'

/** The scaffold's configuration, with the nested plugins' logos, the runbook's text, and this workspace's own configuration in the cache key. */
const config = async (env: Env): Promise<Configuration> =>
  merge(await scaffold(env), {
    cache: { type: 'filesystem', buildDependencies: { own: [path.resolve(process.cwd(), 'webpack.config.ts')] } },
    // The app and its nested plugins load their chunks into the same page: a module has the same exports in each of them.
    optimization: { usedExports: 'global' },
    module: { rules: [{ test: /\.md$/, type: 'asset/source' }] },
    plugins: [new CopyWebpackPlugin({ patterns: [{ from: '*/img/**', to: '.' }] })],
  })

export default config
