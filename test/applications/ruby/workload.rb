# frozen_string_literal: true

# Requests of many users against one table, and the record of what every row must be.
#
# The test drives the program by commands, one JSON object a line; the program answers each with one line.

require 'json'
require 'monitor'
require 'net/http'
require 'securerandom'
require 'uri'

KINDS = %w[truck bike car].freeze

# The flag by OFREP's request. It answers the default when the agent does not, as an OpenFeature SDK does.
class FlagClient
  def initialize(flag)
    @uri = URI("#{flag['url']}/ofrep/v1/evaluate/flags/#{flag['key']}")
    @seconds = flag['timeoutMs'] / 1000.0
    @headers = {
      'Authorization' => "Bearer #{flag['token']}",
      'X-Sti-Client' => flag['client'],
      'Content-Type' => 'application/json'
    }
  end

  def evaluate(user)
    options = { open_timeout: @seconds, read_timeout: @seconds, max_retries: 0 }
    response = Net::HTTP.start(@uri.host, @uri.port, options) do |http|
      http.post(@uri.path, JSON.generate(context: { targetingKey: user }), @headers)
    end
    response.value
    JSON.parse(response.body).slice('value', 'reason').merge('errorCode' => nil)
  rescue StandardError
    { 'value' => false, 'reason' => 'ERROR', 'errorCode' => 'GENERAL' }
  end
end

# Worker threads, each with rows of its own, so that the last write of every row is known.
class Workload
  def initialize(store, settings)
    @store = store
    @flag = settings['release'] == 'typed' ? nil : FlagClient.new(settings['flag'])
    @lock = Monitor.new
    @changed = @lock.new_cond
    @paused = true
    @active = 0
    @operations = Hash.new(0)
    @errors = Hash.new(0)
    @wrong = []
    @rows = Array.new(settings['workers']) { {} }
    settings['rows'].each_with_index { |(id, kind, name), at| @rows[at % @rows.size][id] = [kind, name] }
    @rows.each { |rows| Thread.new { work(rows) } }
  end

  def resume
    @lock.synchronize do
      @paused = false
      @changed.broadcast
    end
  end

  def pause
    @lock.synchronize do
      @paused = true
      @changed.wait_until { @active.zero? }
    end
  end

  def status
    @lock.synchronize { { operations: @operations.dup, errors: @errors.dup, wrong: @wrong.dup } }
  end

  def known
    @rows.flat_map { |rows| rows.map { |id, row| [id, *row] } }
  end

  # Reads every row through the mapped classes.
  def check(model)
    known = self.known.to_h { |id, *row| [id, row] }
    found = @store.list(model).to_h { |id, *row| [id, row] }
    (known.keys | found.keys).reject { |id| known[id] == found[id] }.map do |id|
      "#{id} by #{model}: #{found[id].inspect} instead of #{known[id].inspect}"
    end
  end

  private

  def work(rows)
    loop do
      @lock.synchronize do
        @changed.wait_while { @paused }
        @active += 1
      end
      model = 'typed'
      error = nil
      begin
        model = choose_model
        request(model, rows)
      rescue StandardError => failure # Every failure of a request is counted, whatever it is.
        error = describe(failure)
      end
      @lock.synchronize do
        @operations[model] += 1
        @errors[error] += 1 if error
        @active -= 1
        @changed.broadcast
      end
      sleep 0.005
    end
  end

  # Evaluates the flag, once per request.
  def choose_model
    return 'typed' if @flag.nil?

    @flag.evaluate("user-#{rand(10_000)}")['value'] ? 'typed' : 'legacy'
  end

  def request(model, rows)
    dice = rand
    kind = KINDS.sample
    name = "#{model} #{SecureRandom.uuid}"
    if dice < 0.2 || rows.size < 10
      rows[@store.create(model, kind, name)] = [kind, name]
      return
    end
    id = rows.keys.sample
    if dice < 0.5
      @store.change(model, id, kind)
      rows[id] = [kind, rows[id][1]]
    elsif dice < 0.7
      @store.rename(model, id, name)
      rows[id] = [rows[id][0], name]
    elsif dice < 0.9
      found = @store.find(model, id)
      @wrong << "#{id} by #{model}: #{found.inspect} instead of #{rows[id].inspect}" if found != rows[id]
    else
      @store.remove(model, id)
      rows.delete(id)
    end
  end
end

# The SQLSTATE and the first line of the message, without values.
def describe(error)
  cause = error.cause
  state = cause.respond_to?(:result) && cause.result&.error_field(PG::PG_DIAG_SQLSTATE)
  "#{state || error.class} #{error.message.lines.first.to_s.strip[0, 150]}"
end

def evaluate_once(flag)
  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  answer = FlagClient.new(flag).evaluate('user-1')
  answer.merge('milliseconds' => ((Process.clock_gettime(Process::CLOCK_MONOTONIC) - began) * 1000).round)
end

# Answers commands until the standard input ends.
def serve(versions)
  workload = nil
  $stdout.sync = true
  $stdin.each_line do |line|
    command = JSON.parse(line)
    answer =
      case command['command']
      when 'start'
        workload = Workload.new(yield(command), command)
        workload.resume
        { versions: versions }
      when 'pause'
        workload.pause
        workload.status.merge(rows: workload.known)
      when 'resume'
        workload.resume
        {}
      when 'status' then workload.status
      when 'check' then { wrong: workload.check(command['model']) }
      when 'evaluate' then evaluate_once(command['flag'])
      else raise "unknown command #{command['command']}"
      end
    puts JSON.generate(answer)
  end
end
